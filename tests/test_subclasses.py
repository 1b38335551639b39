"""Guarantee 9: a subclass of a canonical class behaves as the same subclass of ExaBGP's class does."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Sized
from dataclasses import dataclass
from timeit import repeat
from typing import Any, Callable, Generic, TypeVar

import pytest

from tests.support import (
    EACH_VALUE,
    NAMES,
    OURS,
    SHARED,
    STOCK,
    VALUES,
    call,
    from_parts,
    is_canonical,
    observed,
    outcome,
    subclass,
)
from tests.test_guarantees import PACKED, decode

VALUE = b'12345678'
HELD = OURS['RouteDistinguisher']._state[0]  # the attribute in which ExaBGP's class holds VALUE
T = TypeVar('T')


def mine(base: Any) -> dict[str, Any]:
    """Return subclasses of a Route Distinguisher, by name: each is made of VALUE and a note."""

    class Attribute(base):
        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self.note = note

    class Slot(base):
        __slots__ = ('note',)

        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self.note = note

    class AsMany(base):  # as many attributes as ExaBGP's
        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            if len(vars(self)) > 1:
                del self._len
            self.note = note

    class Data(base):
        __annotations__ = {HELD: bytes, 'note': str}

    Data = dataclass(Data)  # type: ignore[misc]

    class Property(base):
        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self._note = note

        @property
        def note(self) -> str:
            return self._note.upper()

    class Setter(base):
        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self.note = note

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value + value if name == 'note' else value)

    class Copies(base):
        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self.note = note

        def __copy__(self) -> Any:
            return type(self)(VALUE, 'copied')

        def __deepcopy__(self, memo: Any) -> Any:
            return type(self)(VALUE, 'deep')

    class Reduces(base):
        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self.note = note

        def __reduce__(self) -> Any:
            return type(self), (VALUE, 'reduced')

    class Abstract(base, ABC):
        @abstractmethod
        def note(self) -> str: ...

    class Concrete(Abstract):
        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self._text = note

        def note(self) -> str:
            return self._text

    class Measured(base, Sized):
        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self.note = note

        def __len__(self) -> int:
            return 1

    class Typed(base, Generic[T]):
        def __init__(self, rd: bytes, note: T) -> None:
            super().__init__(rd)
            self.note = note

    class New(base):
        def __new__(cls, *args: Any) -> Any:
            made = super().__new__(cls)
            made.seen = args
            return made

        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self.note = note

    class Mixin:
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            made = super().__new__(cls)
            made.seen = args, kwargs
            return made

        def __init_subclass__(cls, **kwargs: Any) -> None:
            """Call no other hook."""

    class Behind(base, Mixin):
        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self.note = note

    class Before(Mixin, base):
        def __init__(self, rd: bytes, note: str) -> None:
            super().__init__(rd)
            self.note = note

    class Other(base):
        pass

    class Several(Attribute, Other):
        pass

    helpers = base, Mixin, Other
    classes = {name: cls for name, cls in locals().items() if inspect.isclass(cls) and cls not in helpers}
    for name, cls in classes.items():  # where pickle finds it
        cls.__qualname__ = f'{"Stock" if base is STOCK["RouteDistinguisher"] else "Ours"}{name}'
        globals()[cls.__qualname__] = cls
    return classes


ON_STOCK, ON_OURS = (mine(classes['RouteDistinguisher']) for classes in (STOCK, OURS))


def told(look: Callable[[], Any]) -> Any:
    """Return what `look` returns, or its exception, without what is ours or ExaBGP's in the name of a class."""
    result = outcome(look)
    texts = result if isinstance(result, tuple) else (result,)
    return [re.sub('Ours|Stock', '', text) if isinstance(text, str) else text for text in texts]


def shown(made: Any) -> dict[str, Any]:
    """Return what can be seen of an instance of one of mine()."""
    note = getattr(made, 'note', None)
    return {
        'note': note() if callable(note) else note,
        'seen': getattr(made, 'seen', None),
        'held': {**getattr(made, '__dict__', {})},
        'equal': outcome(lambda: made == made),
        'str': told(lambda: str(made)),  # a dataclass tells its name
        **{name: told(lambda name=name: getattr(made, name)()) for name in ('json', '__len__')},  # type: ignore[misc]
    }


@pytest.mark.parametrize('kind', ON_OURS)
def test_it_is_made_as_a_subclass_of_exabgps(kind: str) -> None:
    ours, stock = (
        [outcome(lambda cls=classes[kind], note=note: cls(VALUE, note)) for note in ('one', 'two')]
        for classes in (ON_OURS, ON_STOCK)
    )
    if kind == 'Abstract':  # which Python refuses
        assert ours[0][0] is stock[0][0] is TypeError
        return
    assert [shown(made) for made in ours] == [shown(made) for made in stock]
    assert ours[0] is not ours[1] is not ON_OURS[kind](VALUE, 'two')
    for made in ours:
        assert type(made) is ON_OURS[kind] and isinstance(made, OURS['RouteDistinguisher'])
        assert isinstance(made, STOCK['RouteDistinguisher'])


WAYS: dict[str, Any] = {
    'copy': copy.copy,
    'deepcopy': copy.deepcopy,
    **{f'pickle {protocol}': lambda made, protocol=protocol: pickle.loads(pickle.dumps(made, protocol))
       for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
}  # fmt: skip


@pytest.mark.parametrize('kind', [kind for kind in ON_OURS if kind != 'Abstract'])
@pytest.mark.parametrize('way', WAYS)
def test_its_copies_and_pickles_are_as_of_a_subclass_of_exabgps(kind: str, way: str) -> None:
    def again(classes: dict[str, Any]) -> Any:
        made = classes[kind](VALUE, 'one')
        copied = outcome(lambda: WAYS[way](made))
        if isinstance(copied, tuple):
            return copied[0]
        assert copied is not made
        return type(copied) is classes[kind], shown(copied)

    assert again(ON_OURS) == again(ON_STOCK)


def test_an_instance_can_be_changed() -> None:
    made = ON_OURS['Attribute'](VALUE, 'one')
    setattr(made, HELD, bytes(8))
    made.note = 'two'
    assert made.rd == bytes(8) and ON_OURS['Attribute'](VALUE, 'one').note == 'one'
    assert OURS['RouteDistinguisher'](VALUE).rd == ON_OURS['Attribute'](VALUE, 'one').rd == VALUE


@pytest.mark.parametrize(('name', 'arguments'), EACH_VALUE)
def test_an_empty_one_is_made_as_exabgps_and_not_shared(name: str, arguments: Any) -> None:
    Mine = subclass(name)
    kept = call(arguments)(OURS[name])
    before = len(OURS[name]._table.data)
    made, other = call(arguments)(Mine), call(arguments)(Mine)
    assert type(made) is type(other) is Mine and made is not other and made is not kept
    assert observed(made) == observed(kept)
    assert len(OURS[name]._table.data) == before and not Mine._table.data
    for again in (copy.copy(made), copy.deepcopy(made)):
        assert observed(again) == observed(made)


@pytest.mark.parametrize('name', NAMES)
def test_its_wire_decoder_makes_the_subclass_and_runs_its_constructor(name: str) -> None:
    kept = OURS[name].from_packed(PACKED[name])
    seen = []

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        seen.append(args)
        OURS[name].__init__(self, *args, **kwargs)

    Mine = type(name, (OURS[name],), {'__init__': init})

    # ExaBGP's next hop decodes to what its module calls NextHop; ours asks for the class
    for make in (Mine.from_packed, lambda packed: decode(type(name, (Mine,), {}), packed)):
        made = make(PACKED[name])
        assert isinstance(made, Mine) and made is not make(PACKED[name])
        assert observed(made) == observed(kept)
    assert len(seen) == 4 and is_canonical(kept)
    assert OURS[name].from_packed(PACKED[name]) is kept


@from_parts
def test_an_odd_value_is_of_a_class_that_pickles() -> None:
    odd = OURS['EthernetTag'](1.0)
    assert type(odd) is OURS['EthernetTag']
    assert pickle.loads(pickle.dumps(type(odd))) is type(odd)
    again = pickle.loads(pickle.dumps(odd))
    assert type(again) is type(odd) and again is not odd and again.tag == 1.0


def test_a_metaclass_may_derive_from_ours() -> None:
    seen = []

    class Counting(type(OURS['RouteDistinguisher'])):  # type: ignore[misc]
        def __call__(cls, *args: Any) -> Any:
            seen.append(args)
            return super().__call__(*args)

    class Mine(OURS['RouteDistinguisher'], metaclass=Counting):  # type: ignore[misc]
        pass

    assert type(Mine(VALUE)) is Mine and seen == [(VALUE,)]


def test_the_metaclass_may_be_that_of_another_class() -> None:
    class Other(metaclass=type(OURS['RouteDistinguisher'])):
        def __init__(self, note: str) -> None:
            self.note = note

    assert Other('mine').note == 'mine' and not isinstance(Other('mine'), OURS['RouteDistinguisher'])


def test_a_base_with_a_metaclass_of_its_own_needs_one_that_derives_from_both() -> None:
    @typing.runtime_checkable
    class Closes(typing.Protocol):
        def close(self) -> None: ...

    class Both(type(OURS['RouteDistinguisher']), type(Closes)):  # type: ignore[misc]
        pass

    class Mine(OURS['RouteDistinguisher'], Closes, metaclass=Both):  # type: ignore[misc]
        def close(self) -> None: ...

    kept = OURS['RouteDistinguisher'](VALUE)
    made = Mine(VALUE)
    assert type(made) is Mine and made is not kept and made == kept and isinstance(made, Closes)


def test_what_a_mixin_constructs_when_it_is_derived_from_is_of_the_new_class() -> None:
    class Mixin:
        def __init_subclass__(cls, **kwargs: Any) -> None:
            cls.first = cls(VALUE)  # type: ignore[attr-defined, call-arg]
            super().__init_subclass__(**kwargs)

    kept = OURS['RouteDistinguisher'](VALUE)

    class Mine(OURS['RouteDistinguisher'], Mixin):  # type: ignore[misc]
        pass

    assert type(Mine.first) is Mine and kept is OURS['RouteDistinguisher'](VALUE) is not Mine.first


@from_parts
def test_its_decoder_is_not_that_of_a_sibling() -> None:
    octets = b'\0\0\0\7'
    ours, stock = (
        type('Both', (classes['EthernetTag'], classes['NextHop']), {}).unpack(octets) for classes in (OURS, STOCK)
    )
    assert ours.tag == stock.tag == 7


def test_an_init_that_fails_leaves_no_entry() -> None:
    class Fails(OURS['RouteDistinguisher']):  # type: ignore[misc]
        def __init__(self, rd: bytes) -> None:
            super().__init__(rd)
            raise ValueError(rd)

    before = dict(OURS['RouteDistinguisher']._table.data)
    for _ in range(2):
        with pytest.raises(ValueError, match='12345678'):
            Fails(VALUE)
    assert dict(OURS['RouteDistinguisher']._table.data) == before


def test_a_method_that_is_added_to_the_class_is_seen_on_shared_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = OURS['RouteDistinguisher'](VALUE)
    monkeypatch.setattr(OURS['RouteDistinguisher'], 'note', lambda self: 'added', raising=False)
    assert kept.note() == 'added'


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('then', ['alive', 'collected'])
def test_a_subclass_leaves_the_hits_of_its_class_as_fast_as_they_were(name: str, then: str) -> None:
    cls, packed = OURS[name], PACKED[name]
    kept = cls.from_packed(packed)

    def nanoseconds() -> float:
        ways = (lambda: cls.from_packed(packed), lambda: call(VALUES[name][0])(cls))
        return sum(min(repeat(way, number=2000, repeat=7)) for way in ways)

    for _ in range(5):  # the machine may have other work
        before = nanoseconds()
        Mine = subclass(name)
        call(VALUES[name][0])(Mine)
        if then == 'collected':
            del Mine
            gc.collect()
        if nanoseconds() < 1.2 * before:
            break
    else:
        raise AssertionError(f'hits of {name} take over 1.2 times as long')
    assert cls.from_packed(packed) is kept


@pytest.mark.parametrize('name', NAMES)
def test_type_hints_can_be_read_where_those_of_exabgps_class_can(name: str) -> None:
    for own in (OURS[name], SHARED[name]):
        if not isinstance(outcome(lambda: typing.get_type_hints(STOCK[name])), tuple):
            typing.get_type_hints(own)
        for base in own.__mro__:
            for value in vars(base).values() if base.__module__.startswith('exabgp_intern') else ():
                function = getattr(value, '__func__', value)
                if inspect.isfunction(function) and function.__module__.startswith('exabgp_intern'):
                    typing.get_type_hints(function)
