"""The mechanism: one live object for each value of a class.

A call of a canonical class looks the value up in the class's table and returns the instance that
lives there; on a miss it makes one, and the value, as a key, is all the state of that.  The usual
forms of a value are keys as they come: for them most classes have a quick call, and some a quick
from_packed, of their own.  For all others, for a subclass, and while a constructor is patched, there
are the general ones: ExaBGP's constructor runs first, and what it made, or raised, decides.

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

__all__ = ('KEY', 'Canonical', 'CanonicalType', 'Entry', 'Table', 'attributes', 'refusing_as', 'restore')

# Bound to the name of an attribute: the slot itself, so that it reads as fast as one.
KEY: Any = object()


class Entry(ref):  # type: ignore[type-arg]
    """What weakref calls KeyedRef, made in C: half the time, and at interpreter exit as late as any."""

    __slots__ = ('key',)

    if TYPE_CHECKING:
        key: Any


class Table(WeakValueDictionary):  # type: ignore[type-arg]
    """The live instances of one class by key: bytes, an int, a str or a tuple of them, and see Canonical._apart."""

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

    def intern(self, key: Any, cls: Any, state: Any) -> Any:
        """Return the one live instance for `key`, a new one of `cls` with `state` unless another is there already."""
        instance = object.__new__(cls._of)
        cls._fill(instance, state)
        return self.keep(key, instance)

    def keep(self, key: Any, instance: Any) -> Any:
        """Return the one live instance for `key`: `instance`, unless another is there already.

        Takes no lock, and may be interrupted at any line by a thread that builds the same key, or
        by a collection whose finaliser or weak reference callback does.
        """
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

    What such a call costs, empty and with one argument, over ExaBGP's constructor of an RD was .36 /
    .51 / .51 / .64 on 3.8 / 3.11 / 3.12 / 3.13; `**kwargs` adds .1 to .3, so a quick one goes without.
    For the same reason each class writes its lookup out, as a function for all would be one more call
    in each hit, and has its table in a closure, which takes .02 to .12 less than `cls._table`.  So a
    quick call is for one class: its subclasses, and the class itself while its constructor is
    patched, have the general one.
    """

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> Any:
        """Give a class that names its `_stock` a slot `_key`, under what is bound to KEY too, and slot setters."""
        stock = namespace.get('_stock')
        if stock:
            # a class with slots need not have one for weak references: ExaBGP 4.2's, and PathInfo of 6
            weak = () if stock.__weakrefoffset__ else ('__weakref__',)
            namespace['__slots__'] = (*namespace['__slots__'], '_key', *weak)
        cls = super().__new__(mcs, name, bases, namespace, **kwargs)
        if stock:
            for attribute in [attribute for attribute, value in namespace.items() if value is KEY]:
                type.__setattr__(cls, attribute, vars(cls)['_key'])
            for slot in namespace['__slots__']:
                type.__setattr__(cls, f'_set_{slot.strip("_")}', vars(cls)[slot].__set__)  # past __setattr__
            if '_fill' not in namespace:
                type.__setattr__(cls, '_fill', vars(cls)['_set_key'])
        if bases and '_of' not in vars(cls):  # the __init_subclass__ of a mixin called no other
            vars(Canonical)['__init_subclass__'].__func__(cls)
        return cls

    def __init_subclass__(mcs, **kwargs: Any) -> None:
        """Give up, for good, the quick calls that a metaclass of a user would find by `super()`."""
        super().__init_subclass__(**kwargs)
        for base in type.mro(mcs)[1:]:
            if '_is_quick' in vars(base):
                base.__call__ = CanonicalType.__call__  # type: ignore[method-assign]

    def _construct(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Construct as ExaBGP does, then return the canonical instance of that value.

        Raises what ExaBGP's constructor raises; the table is then as it was before.
        """
        made = cls.__new__(cls, *args, **kwargs)
        if type(made) is not cls._draft:
            return made  # from the __new__ of a subclass
        cls.__init__(made, *args, **kwargs)
        return cls._canonical(made)

    __call__ = _construct

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


def refusing_as(constructor: Any, call: Any) -> dict[str, Any]:
    """Return a metaclass's namespace with `call`, which refuses arguments in the words of ExaBGP's `constructor`."""
    call.__qualname__ = constructor.__qualname__
    call.__code__ = call.__code__.replace(co_name=constructor.__name__)  # what 3.8 and 3.9 say
    return {'__call__': call, '_is_quick': True}


class Canonical(metaclass=CanonicalType):
    """What the canonical classes share.  Each derives from this and from ExaBGP's class, in that order.

    `_key` is all the state of an instance; the attributes of ExaBGP's class are views of it.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        _key: Any
        _set_key: ClassVar[Any]  # (instance, key) -> None
        _fill: ClassVar[Any]  # the same, and whatever else a class keeps of the key
    _stock: ClassVar[type]  # ExaBGP's class
    _parameters: ClassVar[tuple[str, ...]]  # what its __init__ takes
    _state: ClassVar[tuple[str, ...]]  # the attributes that it sets
    _samples: ClassVar[tuple[dict[str, Any], ...]]  # what install() compares the two classes on
    _shows: ClassVar[tuple[str, ...]] = ('__len__', '__str__', 'json', 'pack')  # by these methods
    _sentinel: ClassVar[str] = ''  # the name of its sentinel for no octets, where it has one
    _decoder: ClassVar[str] = 'unpack'  # the name of ExaBGP's factory for wire bytes, '' if it has none
    _lengths: ClassVar[tuple[int, ...]] = ()  # of the octets that are keys as they come, so that from_packed is quick
    _of: ClassVar[Any]  # the class itself, from its twin too
    _draft: ClassVar[type]  # what is not canonical: its mutable twin
    _table: ClassVar[Table]
    _plain: ClassVar[bool]  # no other __init__ or __new__ than ExaBGP's: what is in the table is the answer
    _equal: ClassVar[Any]  # ExaBGP's __eq__, by identity first
    _quick_type: ClassVar[type]  # its metaclass while it is plain
    _quick: ClassVar[Any]  # its from_packed while it is plain and nobody has derived from it, None if it has no such
    _refs: ClassVar[dict[Any, Entry]]  # what an unpack reads: the dict inside _table, an empty one if not plain
    _apart: ClassVar[Any] = object()  # in a key: nobody's argument is equal to that

    def __init_subclass__(cls, **kwargs: Any) -> None:
        cls._table = Table()
        cls._of = cls
        if '_stock' in vars(cls):
            cls._equal = cls.__eq__ = _identity_first(cls._stock.__eq__)  # type: ignore[method-assign]
            cls._quick_type = type(f'{cls.__name__}Type', (CanonicalType,), cls._call_of(cls._table.data))
            cls._quick = cls._from_packed_of(cls._table.data)
            if cls._quick:
                cls._quick.__doc__, cls._quick.__module__ = cls.from_packed.__doc__, cls.__module__
                cls._quick.__qualname__ = f'{cls.__name__}.from_packed'
        canonical: Any = next(base for base in cls.__mro__ if '_stock' in vars(base))
        canonical._look_at_constructor('__init__')  # and of all that derive from it
        cls._draft = _twin(cls)
        super().__init_subclass__(**kwargs)  # last, for a mixin may construct

    @classmethod
    def _look_at_constructor(cls, name: str) -> None:
        """Note whether the class constructs as ExaBGP's does: a patch, or a subclass, may change that.

        If it does not, it gets the general call, which takes any arguments, and no hit goes past the constructor.
        What is quick is for the class with `_stock`, and no subclass: it knows one table.  Its from_packed
        comes back when a look, after a patch was undone, finds no subclass left.
        """
        if name in ('__init__', '__new__', 'from_packed'):
            if cls is not Canonical:
                cls._plain = cls.__init__ is cls._stock.__init__ and cls.__new__ is Canonical.__new__  # type: ignore[misc]
                cls._refs = cls._table.data if cls._plain else {}
                quick = cls._plain and '_stock' in vars(cls)
                if type(cls) in (CanonicalType, cls._quick_type):  # not a metaclass that a subclass brought
                    type.__setattr__(cls, '__class__', cls._quick_type if quick else CanonicalType)
                if cls._quick and '_stock' in vars(cls):
                    cls._offer(quick and len(type.__subclasses__(cls)) < 2)  # its twin
            for subclass in type.__subclasses__(cls):
                subclass._look_at_constructor(name)

    @classmethod
    def _offer(cls, quick: bool) -> None:
        """Offer the quick from_packed or the general: by `super()` a subclass would get instances of this class."""
        general = vars(Canonical)['from_packed']
        own = vars(cls).get('from_packed', general)
        if own is general or getattr(own, '__func__', own) is cls._quick:  # not what somebody put there
            type.__setattr__(cls, 'from_packed', staticmethod(cls._quick) if quick else general)

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Any:
        """Return a draft: an empty object, in no table, for `__init__`, a copy or a pickle to fill."""
        return object.__new__(cls._draft)

    @staticmethod
    def _octets(value: Any) -> bytes | None:
        """Return the bytes that `value`, a buffer, is equal to: with those it finds what is in a table."""
        if type(value) is bytes:
            return value
        octets = bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else None
        return octets if octets == value else None

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        """Return the key for the value of `made`, None if it has something that cannot be in a key."""
        raise NotImplementedError

    @classmethod
    def _canonical(cls, made: Any) -> Any:
        """Return the canonical instance with the value of the draft `made`.

        `made` itself if its value cannot be a key, or if it carries more than its value.
        """
        state = cls._key_of(made)
        if state is None or len(vars(made)) != len(cls._state):
            return made
        # What is found by an argument as it comes must be what ExaBGP makes of it: a part of octets that are too many,
        # and a refusal of a tuple.
        apart = type(state) is tuple or type(state) is bytes and cls._lengths and len(state) not in cls._lengths
        key = (cls._apart, state) if apart else state
        entry: Any = cls._table.data.get(key)
        held = entry and entry()
        return cls._table.intern(key, cls, state) if held is None else held

    @classmethod
    def from_packed(cls, packed: Any) -> Any:
        """Return the canonical instance for wire bytes, and the sentinel for none.

        Accepts and refuses what ExaBGP's decoder does, in the same words.  Which one this is may change
        when somebody derives from the class or patches its constructor: ask for it when you use it.
        """
        if cls._sentinel and packed == b'':
            return getattr(cls, cls._sentinel)
        return (getattr(cls, cls._decoder) if cls._decoder else cls)(packed)

    @classmethod
    def _call_of(cls, refs: dict[Any, Entry]) -> dict[str, Any]:
        """Return the quick call of this class, as the namespace of its metaclass; by default there is none."""
        return {}

    @classmethod
    def _from_packed_of(cls, refs: dict[Any, Entry]) -> Any:
        """Return a from_packed for this class only, None if it has none that is quicker than what all have.

        A hit took .50 / .63 / .47 / .70 of the time of ExaBGP's constructor of an RD on 3.8 / 3.11 /
        3.12 / 3.13; a class method that reads `cls._refs` .69 / .80 / .65 / .99, and one that asks whether
        `cls` is the class whose table it knows .60 / .70 / .53 / .78.
        """
        intern, lengths, general = cls._table.intern, cls._lengths, cls.from_packed

        def miss(packed: Any) -> Any:
            return intern(packed, cls, packed) if type(packed) is bytes and len(packed) in lengths else general(packed)

        def from_packed(packed: Any) -> Any:
            try:
                made = refs[packed]()
                if made is not None:
                    return made
            except Exception:  # not there, or cannot be
                pass
            return miss(packed)  # has a closure of its own, for a hit pays for each name in this one

        return from_packed if lengths else None

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

    def __setstate__(self, state: Any) -> None:
        """Fill a bare instance: what a pickle of ExaBGP's class in protocol 0 or 1 makes past `__new__`."""
        key = self._key_of(_drafted(type(self), _named(state)))
        if key is None or hasattr(self, '_key'):
            raise AttributeError(f'{type(self).__name__} cannot be given the state {state}')
        self._fill(self, key)


def _identity_first(equal: Any) -> Any:
    def __eq__(self: Any, other: Any) -> Any:
        return self is other or equal(self, other)

    return __eq__


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

    def __setstate__(self, state: Any) -> None:
        """Fill a draft: what a pickle of ExaBGP's class makes in protocol 2 and later."""
        vars(self).update(_named(state))


def _twin(cls: Any) -> Any:
    # A class attribute that is no descriptor gives way to the instance's own in __dict__.
    slots = () if cls.__dictoffset__ else ('__dict__',)
    names = {'__slots__': slots, '__module__': cls.__module__, '__qualname__': cls.__qualname__, '_of': cls}
    if cls.__eq__ is cls._equal:
        names.update(__eq__=cls._stock.__eq__, __hash__=cls.__hash__)  # NaN is not equal to itself
    return type(cls)(cls.__name__, (_Twin, cls), {**names, **dict.fromkeys(cls._state)})


def _drafted(cls: Any, state: dict[str, Any]) -> Any:
    draft = object.__new__(cls._draft)
    vars(draft).update(state)
    return draft


def attributes(stock: Any) -> dict[str, Any]:
    """Return what an object of ExaBGP's holds, by name, be it in slots or not."""
    held = dict(vars(stock)) if hasattr(stock, '__dict__') else {}
    slots = [slot for cls in type(stock).__mro__ for slot in vars(cls).get('__slots__', ())]
    return {**{slot: getattr(stock, slot) for slot in slots if hasattr(stock, slot)}, **held}


def _named(state: Any) -> dict[str, Any]:
    # pickle's state of a class with slots is a pair: what is in __dict__, or None, and what is in slots
    return state if isinstance(state, dict) else {**(state[0] or {}), **state[1]}


def restore(cls: Any, state: dict[str, Any]) -> Any:
    """Return the instance of `cls` with ExaBGP's attributes `state`, canonical if it can be: for pickles."""
    return cls._canonical(_drafted(cls, state))
