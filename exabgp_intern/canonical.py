"""The mechanism: one live object for each value of a class.

A call of a canonical class looks the value up in the class's table and returns the instance that
lives there; on a miss it makes one, and the value, as a key, is all the state of that.  The usual
forms of a value are keys as they come.  For all others ExaBGP's own constructor runs first, and what
it made, or raised, decides.

The table holds its instances weakly: an instance, and its entry, go when the last route that
refers to it goes.  There is no size to tune and nothing to clear.
"""

from __future__ import annotations

# What weakref itself evicts with: one step, and only an entry that is dead.
from _weakref import _remove_dead_weakref  # type: ignore[attr-defined]
from copy import deepcopy
from itertools import count
from typing import TYPE_CHECKING, Any, Callable, ClassVar
from weakref import WeakValueDictionary, ref

__all__ = ('KEY', 'NOTHING', 'Canonical', 'CanonicalType', 'Entry', 'Table', 'restore')

# A reference that is dead already: `refs.get(key, NOTHING)()` is the live instance or None.
NOTHING: ref[Any] = ref(set())


class Entry(ref):  # type: ignore[type-arg]
    """What weakref calls KeyedRef, made in C: half the time, and at interpreter exit as late as any."""

    __slots__ = ('key',)

    if TYPE_CHECKING:
        key: Any


class Table(WeakValueDictionary):  # type: ignore[type-arg]
    """The live instances of one class by key; a key is bytes, an int, a str or a tuple of them."""

    if TYPE_CHECKING:
        data: dict[Any, Entry]
        _remove: Callable[[Entry], None]

    # Attributes, not globals, as all that a constructor needs in this package: when the interpreter
    # exits, modules are emptied before the last finalisers run.
    _entry = Entry
    _evict = staticmethod(_remove_dead_weakref)

    def __init__(self) -> None:
        super().__init__()
        self._misses = count()

    def intern(self, key: Any, cls: Any) -> Any:
        """Return the one live instance for `key`, a new one of `cls` unless another is there already.

        Takes no lock, and may be interrupted at any line by a thread that builds the same key, or
        by a collection whose finaliser or weak reference callback does.
        """
        instance = object.__new__(cls._of)
        cls._fill(instance, key)
        made = self._entry(instance, self._remove)
        made.key = key
        while True:
            # One step, in C.  `get` and then `set` would let another winner in between them.
            held = self.data.setdefault(key, made)
            if held is made:
                next(self._misses)
                return instance
            winner = held()
            if winner is not None:
                return winner
            # The collector clears all references before it runs the first callback, so a callback
            # that builds its own key finds its entry dead, and nobody else to remove it.
            self._evict(self.data, key)

    def misses(self) -> int:
        """Return how many instances this table has taken in since it was made."""
        # next() on a count is one step, `+= 1` is not; only its repr tells its place without a step.
        return int(repr(self._misses)[len('count(') : -1])


class CanonicalType(type):
    """The type of a canonical class: calling the class returns the canonical instance.

    Why not in `__new__` alone: Python would run `__init__` again on what `__new__` returns, and
    `ESI()`, a value, could not be told from `ESI.__new__(ESI)`, the draft that copies and pickles
    fill.
    """

    def __call__(cls: Any, *args: Any, **kwargs: Any) -> Any:
        """Construct as ExaBGP does, then return the canonical instance of that value.

        Raises what ExaBGP's constructor raises; the table is then as it was before.
        """
        made = cls.__new__(cls, *args, **kwargs)
        if type(made) is not cls._draft:
            return made  # from the __new__ of a subclass
        cls.__init__(made, *args, **kwargs)
        return cls._canonical(made)

    def __setattr__(cls: Any, name: str, value: Any) -> None:
        # `type(self).seen += 1` in the __init__ of a subclass, where self is a twin, means the subclass
        type.__setattr__(vars(cls).get('_of', cls), name, value)
        cls._look_at_constructor(name)

    def __delattr__(cls: Any, name: str) -> None:
        type.__delattr__(cls, name)
        cls._look_at_constructor(name)

    # To isinstance and issubclass the canonical class is ExaBGP's: its sentinels, and routes that
    # were decoded before install(), are instances of ExaBGP's class and stay so.

    def __instancecheck__(cls, instance: Any) -> bool:
        return type.__instancecheck__(vars(cls).get('_stock', cls), instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return type.__subclasscheck__(vars(cls).get('_stock', cls), subclass)


class Canonical(metaclass=CanonicalType):
    """What the canonical classes share.  Each derives from this and from ExaBGP's class, in that order.

    `_key` is all the state of an instance; the attributes of ExaBGP's class are views of it.
    """

    __slots__ = ('_key',)

    if TYPE_CHECKING:
        _key: Any
    _stock: ClassVar[type]  # ExaBGP's class
    _parameters: ClassVar[tuple[str, ...]]  # what its __init__ takes
    _state: ClassVar[tuple[str, ...]]  # the attributes that it sets
    _samples: ClassVar[tuple[dict[str, Any], ...]]  # what install() compares the two classes on
    _sentinel: ClassVar[str] = ''  # the name of its sentinel, where it has one
    _of: ClassVar[Any]  # the class itself, from its twin too
    _draft: ClassVar[type]  # what is not canonical: its mutable twin
    _table: ClassVar[Table]
    _plain: ClassVar[bool]  # no other __init__ or __new__ than ExaBGP's: what is in the table is the answer
    _nothing: ClassVar[ref[Any]] = NOTHING
    _fill: ClassVar[Any]  # (new instance, key) -> None
    _refs: ClassVar[dict[Any, Entry]]  # the dict inside _table: a hit reads it directly

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._table = Table()
        cls._refs = cls._table.data
        cls._of = cls
        cls._look_at_constructor('__init__')
        cls._draft = _twin(cls)

    @classmethod
    def _look_at_constructor(cls, name: str) -> None:
        """Note whether the class constructs as ExaBGP's does: a patch, or a subclass, may change that."""
        if name in ('__init__', '__new__'):
            if cls is not Canonical:
                cls._plain = cls.__init__ is cls._stock.__init__ and cls.__new__ is Canonical.__new__  # type: ignore[misc]
            for subclass in type.__subclasses__(cls):
                subclass._look_at_constructor(name)

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a draft: an empty object, in no table, for `__init__`, a copy or a pickle to fill."""
        return object.__new__(cls._draft)

    @staticmethod
    def _octets(value: Any) -> bytes | None:
        """Return `value` if it is bytes, a copy if it is a buffer of octets, None if anything else."""
        if type(value) is bytes:
            return value
        if type(value) is bytearray or (type(value) is memoryview and value.format == 'B' and value.ndim == 1):
            return bytes(value)
        return None

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        """Return the key for the value of `made`, None if it has something that cannot be in a key."""
        raise NotImplementedError

    @classmethod
    def _canonical(cls, made: Any) -> Any:
        """Return the canonical instance with the value of the draft `made`.

        `made` itself if its value cannot be a key, or if it carries more than its value.
        """
        key = cls._key_of(made)
        if key is None or len(vars(made)) != len(cls._state):
            return made
        return cls._table.intern(key, cls)

    @classmethod
    def from_packed(cls, packed: Any) -> Any:
        """Return the canonical instance for wire bytes, and the sentinel for none.

        Accepts and refuses what ExaBGP's `unpack` does, in the same words.
        """
        if cls._sentinel and packed == b'':
            return getattr(cls, cls._sentinel)
        return cls.unpack(packed)  # type: ignore[attr-defined]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f'{type(self).__name__} is shared by all routes of its value: cannot set {name!r}')

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f'{type(self).__name__} is shared by all routes of its value: cannot delete {name!r}')

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return restore, (type(self), {name: getattr(self, name) for name in self._state})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Fill a bare instance: what a pickle of ExaBGP's class in protocol 0 or 1 makes past `__new__`."""
        key = self._key_of(_drafted(type(self), state))
        if key is None or hasattr(self, '_key'):
            raise AttributeError(f'{type(self).__name__} cannot be given the state {state}')
        self._fill(self, key)


# The slot itself: a class that binds it to the name of an attribute reads that as fast as a slot.
KEY = vars(Canonical)['_key']
Canonical._fill = KEY.__set__  # past __setattr__


class _Twin:
    """Makes of a canonical class one that holds its attributes as ExaBGP does, in `__dict__`.

    A draft is one of these, and what stays one: a value that cannot be a key, and an instance of a
    subclass whose own `__init__` gives it more than its value.
    """

    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

    _of: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        """Do not call the hook of a subclass: it was not this class that its author wrote."""

    def __copy__(self) -> Any:
        return restore(self._of, vars(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return restore(self._of, deepcopy(vars(self), memo))

    def __reduce__(self) -> tuple[Any, ...]:
        return restore, (self._of, vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Fill a draft: what a pickle of ExaBGP's class makes in protocol 2 and later."""
        vars(self).update(state)


def _twin(cls: Any) -> Any:
    # A class attribute that is no descriptor gives way to the instance's own in __dict__.
    names = {'__slots__': (), '__module__': cls.__module__, '__qualname__': cls.__qualname__, '_of': cls}
    return type(cls)(cls.__name__, (_Twin, cls), {**names, **dict.fromkeys(cls._state)})


def _drafted(cls: Any, state: dict[str, Any]) -> Any:
    draft = object.__new__(cls._draft)
    vars(draft).update(state)
    return draft


def restore(cls: Any, state: dict[str, Any]) -> Any:
    """Return the instance of `cls` with ExaBGP's attributes `state`, canonical if it can be: for pickles."""
    return cls._canonical(_drafted(cls, state))
