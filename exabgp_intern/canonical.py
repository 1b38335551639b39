"""The mechanism: one live object for each value of a class.

Three classes make a family.  Each derives from the one before it.

ExaBGP's own class
    It is left as it is.
The canonical class
    This is the class that users name.  Its `__new__` returns the instance of a value from a table, or makes one.
The shared class
    Only its instances are in the table.  They hold the value in slots, and cannot be changed.

Some objects are not shared, for example those of a user's subclass, and those of a value that cannot be a key of the
table.  They are plain instances of their class: ExaBGP's `__init__` fills them, and they behave as ExaBGP's own do.

The table (see table.py) holds its instances weakly: when the last route that refers to an instance goes, the instance
goes too.
"""

from __future__ import annotations

from abc import ABCMeta
from contextlib import suppress
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from exabgp_intern.table import Table

__all__ = ('Canonical', 'Shared', 'looked_up', 'read_only', 'slots', 'stock_of')


def stock_of(found: Any) -> Any:
    """Return ExaBGP's own class for `found`, which may be the canonical class that install() put in its place."""
    return vars(found).get('_stock', found)


def slots(stock: Any, *names: str) -> Any:
    """Return `__slots__` for a shared class: `names`, and a slot for weak references if `stock` has none."""
    # ExaBGP 4.2 has slots without one in all its classes, ExaBGP 6 in PathInfo.
    return names if stock.__weakrefoffset__ else (*names, '__weakref__')


@property  # type: ignore[misc]
def read_only(self: Any) -> Any:
    """The `__dict__` of a shared instance, with the names of ExaBGP's attributes.  Nobody can change it."""
    return MappingProxyType({name: getattr(self, name) for name in self._state})


def looked_up(decode: Any) -> Any:
    """Return a class method that looks up the wire bytes `data`, and calls `decode(cls, data)` if they are no key."""

    @wraps(decode)
    def look(cls: Any, data: Any) -> Any:
        try:
            shared = cls._refs[data]()
            if shared is not None and len(data) == cls._length:  # the constructor takes other lengths
                return shared
        except Exception:  # no such key, or not hashable
            pass
        if type(data) is bytes and len(data) == cls._length and cls is cls._canonical:
            return cls._make(data)
        return decode(cls, data)

    return classmethod(look)


class CanonicalType(ABCMeta):
    """Gives every class a table of its own.  Only that of a canonical class is filled, so a subclass finds nothing."""

    def __new__(mcs, name: str, bases: Any, namespace: Any, /, **kwargs: Any) -> Any:
        table = Table()
        namespace = {**namespace, '_table': table, '_refs': table.data}
        cls: Any = super().__new__(mcs, name, bases, namespace, **kwargs)
        if '_stock' in namespace:
            cls._canonical = cls
            # Pickle protocols 0 and 1 refuse an object whose class has slots, as those of ExaBGP 4.2 have.  They look
            # at the first `__slots__` only.  With an empty one here they would lose the attributes without an error.
            del cls.__slots__
        canonical = getattr(cls, '_canonical', None)  # a class of the user's may have this metaclass alone
        if canonical and cls is not canonical and cls.__new__ is canonical.__new__:
            cls.__new__ = cls._new_plain  # a subclass of the user's: its `__init__` may take other arguments
        return cls


class Canonical(metaclass=CanonicalType):
    """The base of the canonical classes.  Each derives from this class and from ExaBGP's, in that order."""

    __slots__ = ()

    _stock: ClassVar[Any]  # ExaBGP's class
    _state: ClassVar[Any]  # the attributes of its instances; by default the first one is the key
    _length: ClassVar[Any] = None  # how many octets a value has on the wire, if these are its key
    _sentinel: ClassVar[str] = ''  # the name of ExaBGP's object for no octets, if there is one
    _decoder: ClassVar[str] = 'unpack'  # the name of ExaBGP's factory for wire bytes, '' if there is none

    # install() compares the canonical class with ExaBGP's:
    _parameters: ClassVar[Any]  # what ExaBGP's constructor takes
    _samples: ClassVar[Any]  # arguments, to construct an instance of each of the two
    _shows: ClassVar[Any] = ('__len__', '__str__', 'json', 'pack')  # methods that must return the same

    _base: ClassVar[Any]  # Canonical
    _canonical: ClassVar[Any] = None  # the canonical class; in a subclass, `cls is cls._canonical` is false
    _shared: ClassVar[Any]  # its shared class
    _table: ClassVar[Any]
    _refs: ClassVar[Any]  # the dict in the table, of weak references by key
    _fill: ClassVar[Any]  # (instance, key): sets the slots of a new shared instance

    @classmethod
    def __subclasshook__(cls, other: Any) -> Any:
        """Make isinstance() accept ExaBGP's own objects: sentinels, and those of routes from before install()."""
        return issubclass(other, cls._stock) if cls is cls._canonical else NotImplemented

    # Each canonical class has a `__new__` that takes what ExaBGP's `__init__` takes.  It looks the value up, and
    # returns the shared instance or what `_construct` returns.  Python then calls `__init__` on that.

    @staticmethod
    def _new_plain(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Return an instance that `__init__` has yet to fill, as `__new__` of ExaBGP's class does."""
        new = super(cls._base, cls).__new__
        # `object.__new__` refuses arguments.  That of a mixin, behind the canonical class, may need them.
        return new(cls) if new is object.__new__ else new(cls, *args, **kwargs)

    @classmethod
    def _construct(cls, value: Any, *others: Any) -> Any:
        """Run ExaBGP's constructor, and return the shared instance of the value that it makes.

        The values are in the order of its parameters, with ... for one that was not given.  Octets of the right length
        need no constructor.
        Return a plain instance if the value cannot be shared.  Python then calls `__init__` on it, perhaps once more.
        Raise what ExaBGP's constructor raises.  The table is then as it was before.
        """
        if type(value) is bytes and len(value) == cls._length and not others and cls is cls._canonical:
            return cls._make(value)
        plain = cls._new_plain(cls)
        given = {name: each for name, each in zip(cls._parameters, (value, *others)) if each is not ...}
        if not given:
            return plain  # copy and pickle call `__new__` without arguments, and fill the instance themselves
        if cls is not cls._canonical:
            return plain  # the `__new__` of a user's subclass has called ours
        if any(hasattr(type(each), '__next__') for each in given.values()):
            return plain  # an iterator can be read only once, and Python will call `__init__`
        cls.__init__(plain, **given)
        return cls._of(plain)

    @classmethod
    def _of(cls, plain: Any) -> Any:
        """Return the shared instance that has the value of `plain`, or `plain` if that value cannot be a key."""
        key = cls._key_of(plain)
        return plain if key is None else cls._intern(key)

    @classmethod
    def _key_of(cls, instance: Any) -> Any:
        """Return the key for the value of `instance`, None if it has something that cannot be in a key."""
        return cls._octets(getattr(instance, cls._state[0]))

    @staticmethod
    def _octets(value: Any) -> Any:
        """Return the bytes that `value` is equal to, or None if it is not a buffer of octets."""
        if type(value) is bytes:
            return value
        try:
            copied = bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else None
            return copied if copied is not None and copied == value else None  # a view of signed octets differs
        except Exception:  # a memoryview that was released
            return None

    @classmethod
    def _intern(cls, key: Any) -> Any:
        """Return the shared instance for `key`, and make it if there is none."""
        entry = cls._refs.get(key)
        shared = entry and entry()
        return cls._make(key) if shared is None else shared

    @classmethod
    def _make(cls, key: Any) -> Any:
        """Return the shared instance for `key`, a new one unless another thread has made it meanwhile."""
        made = object.__new__(cls._shared)
        cls._fill(made, key)
        return cls._table.keep(key, made)

    @looked_up
    def from_packed(cls: Any, data: Any) -> Any:
        """Return the instance for the wire bytes `data`, and ExaBGP's sentinel for no bytes.

        This accepts and refuses the same bytes as ExaBGP's decoder, with the same error messages.  For no bytes,
        ExaBGP's decoder makes a new object.
        """
        if cls._sentinel and data == b'':
            return getattr(cls, cls._sentinel)
        return (getattr(cls, cls._decoder) if cls._decoder else cls)(data)


del Canonical.__slots__  # see CanonicalType
Canonical._base = Canonical  # at exit the interpreter may empty modules before it runs the last finalisers


class Shared:
    """The base of the shared classes.  Each derives from this class and from a canonical class, in that order."""

    __slots__ = ()

    if TYPE_CHECKING:
        _canonical: ClassVar[Any]

    # Python calls `__init__` on every instance that `__new__` returns.  `object.__init__` does nothing, in C.
    # It ignores the arguments, because the class has a `__new__` of its own.
    __init__ = object.__init__

    def __init_subclass__(cls) -> None:
        if Shared not in cls.__bases__:
            raise TypeError(f'derive from {cls._canonical.__name__}, not from the class of its shared instances')
        canonical: Any = cls.__bases__[1]
        canonical._shared = cls
        if not hasattr(canonical, '_fill'):
            canonical._fill = vars(cls)[cls.__slots__[0]].__set__  # type: ignore[misc]  # not the __setattr__ below
        cls.__name__ = canonical.__name__  # Python's error messages show it
        cls.__qualname__ = f'{canonical.__qualname__}._shared'

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the canonical class, for `type(instance)(...)`.  Without arguments return a plain instance.

        ExaBGP's copies call `type(instance).__new__(type(instance))`, and fill what they get.
        """
        if args or kwargs:
            return cls._canonical(*args, **kwargs)
        plain = cls._canonical.__new__(cls._canonical)
        with suppress(Exception):  # Python does not, because it is not of this class; some need an argument
            plain.__init__()
        return plain

    def _refused(self, name: str, *_: Any) -> None:
        raise AttributeError(f'{type(self).__name__} is shared by routes: cannot change {name!r}')

    __setattr__ = __delattr__ = _refused

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__copy__()

    def __reduce__(self) -> Any:
        return self._canonical._intern, (self._canonical._key_of(self),)
