"""The first nine guarantees of docs/guarantees.md, each against ExaBGP's own class."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
import weakref
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exabgp_intern.lines import attributes
from tests.support import (
    ARGUMENTS,
    EACH_VALUE,
    FROM_WIRE,
    NAMES,
    OURS,
    SENTINELS,
    STOCK,
    VALUES,
    call,
    copied,
    from_parts,
    is_canonical,
    observed,
    outcome,
    subclass,
    typed,
)

each_value = pytest.mark.parametrize(('name', 'arguments'), EACH_VALUE)
each_class = pytest.mark.parametrize('name', NAMES)
drawn = st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), ARGUMENTS[name], ARGUMENTS[name]))


def state(name: str, stock: Any) -> Any:
    return {attribute: typed(value) for attribute, value in attributes(stock).items() if attribute != '__weakref__'}


# 1. Same value, same object; 2. different output, different object; 7. refusals; 8. what is odd


@settings(max_examples=600)
@given(drawn)
def test_one_object_exactly_where_nothing_can_tell_them_apart(drawn: Any) -> None:
    name, first, second = drawn
    # ExaBGP keeps a buffer, ours copies it: the oracle gets the bytes
    made = [outcome(lambda how=how: call(copied(how))(STOCK[name])) for how in (first, second)]
    ours = [outcome(lambda how=how: call(how)(OURS[name])) for how in (first, second)]
    for stock, canonical in zip(made, ours):
        if isinstance(stock, tuple):
            assert canonical == stock  # the same exception with the same text
        else:
            assert observed(canonical) == observed(stock)
            assert isinstance(canonical, OURS[name])
    if is_canonical(ours[0]) and is_canonical(ours[1]):
        assert (ours[0] is ours[1]) == (state(name, made[0]) == state(name, made[1]))
    else:
        assert ours[0] is not ours[1] or isinstance(ours[0], tuple)


@each_value
def test_a_usual_value_is_canonical_and_prints_as_exabgp_does(name: str, arguments: Any) -> None:
    ours = call(arguments)(OURS[name])
    assert is_canonical(ours)
    assert ours is call(arguments)(OURS[name])
    assert observed(ours) == observed(call(arguments)(STOCK[name]))
    assert ours == call(arguments)(STOCK[name])
    assert call(arguments)(STOCK[name]) == ours


@each_class
def test_different_values_are_different_objects(name: str) -> None:
    assert len({id(made) for made in [call(arguments)(OURS[name]) for arguments in VALUES[name]]}) == len(VALUES[name])


@each_value
def test_copies_are_the_object_itself(name: str, arguments: Any) -> None:
    ours = call(arguments)(OURS[name])
    empty = name == 'RouteDistinguisher' and not len(ours) and hasattr(STOCK[name], '__copy__') and not FROM_WIRE
    expected = OURS[name].NORD if empty else ours  # as ExaBGP 5.0 copies an empty RD
    assert copy.copy(ours) is expected
    assert copy.deepcopy(ours) is expected
    assert copy.deepcopy([ours, ours])[1] is expected


@each_value
@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_the_object_itself(name: str, arguments: Any, protocol: int) -> None:
    ours = call(arguments)(OURS[name])
    assert pickle.loads(pickle.dumps(ours, protocol)) is ours
    data = pickle.dumps(ours, protocol)
    before = observed(ours)
    del ours
    assert observed(pickle.loads(data)) == before


@each_value
def test_every_thread_gets_the_same_object(name: str, arguments: Any) -> None:
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(call(arguments)(OURS[name]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8 and len({id(made) for made in got}) == 1


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system has no fork')
@pytest.mark.filterwarnings('ignore:This process .* is multi-threaded:DeprecationWarning')
def test_a_forked_child_finds_the_same_object() -> None:
    kept = [call(arguments)(OURS[name]) for name, arguments in EACH_VALUE]
    child = os.fork()
    if not child:
        same = all(call(arguments)(OURS[name]) is was for was, (name, arguments) in zip(kept, EACH_VALUE))
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0


# Each class's wire decoder


PACKED = {
    'RouteDistinguisher': bytes(range(8)),
    'Labels': b'\0\x06\x41',
    'PathInfo': b'\0\0\0\1',
    'ESI': bytes(range(10)),
    'EthernetTag': b'\0\0\0\1',
    'MAC': b'\0\1\2\3\4\5',
    'NextHop': b'\xc0\0\2\1',
}


def decode(cls: Any, packed: Any) -> Any:
    return cls(packed) if cls.__name__ == 'PathInfo' else getattr(cls, OURS[cls.__name__]._decoder)(packed)


@each_class
@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview])
def test_from_packed_is_the_wire_decoder(name: str, kind: Any) -> None:
    cls = OURS[name]
    packed = kind(PACKED[name])
    ours = cls.from_packed(packed)
    assert is_canonical(ours)
    assert ours is cls.from_packed(packed) is decode(cls, packed) is cls.from_packed(PACKED[name])
    assert observed(ours) == observed(decode(STOCK[name], PACKED[name]))


@each_class
def test_from_packed_accepts_and_refuses_what_exabgp_does(name: str) -> None:
    from_packed = OURS[name].from_packed
    kept = [outcome(lambda: call(arguments)(OURS[name])) for arguments in VALUES[name]]  # noqa: F841, B023

    @given(st.binary(min_size=1, max_size=17))
    def check(packed: bytes) -> None:
        ours, stock = outcome(lambda: from_packed(packed)), outcome(lambda: decode(STOCK[name], packed))
        assert ours == stock if isinstance(stock, tuple) else observed(ours) == observed(stock)
        assert isinstance(stock, tuple) or ours is from_packed(packed) or not is_canonical(ours)

    check()
    for wrong in (None, 5, 100, 1000, True, 1.5, 'text', [], ()):
        ours, stock = outcome(lambda: from_packed(wrong)), outcome(lambda: decode(STOCK[name], wrong))  # noqa: B023
        # until it is asked for something, PathInfo accepts anything; what is empty is NoNextHop to NextHop
        assert ours == stock if isinstance(stock, tuple) or ours is stock else observed(ours) == observed(stock)


@each_class
@pytest.mark.parametrize('empty', [b'', bytearray(), memoryview(b'')])
def test_from_packed_of_nothing_is_the_sentinel_where_there_is_one(name: str, empty: Any) -> None:
    from_packed = OURS[name].from_packed
    sentinel = dict(SENTINELS).get(name)  # of PathInfo on ExaBGP 6 the last, DISABLED
    kept = outcome(lambda: OURS[name]([] if name == 'Labels' and not FROM_WIRE else b''))  # noqa: F841
    if sentinel:
        assert from_packed(empty) is getattr(STOCK[name], sentinel)
    else:
        ours, stock = outcome(lambda: from_packed(empty)), outcome(lambda: decode(STOCK[name], empty))
        # NoNextHop is none of the class, and what its decoder returns
        assert isinstance(stock, tuple) != (name == 'NextHop') and ours == stock


@from_parts
def test_a_longer_value_in_the_table_does_not_mislead_the_decoder() -> None:
    cls = OURS['RouteDistinguisher']
    longer = cls(bytes(9))
    assert longer is cls(bytes(9))
    assert cls.from_packed(bytes(9)) is cls.unpack(bytes(9)) is cls.unpack(bytes(8)) is not longer


@from_parts
def test_a_stack_that_goes_on_after_its_end_does_not_mislead_the_decoder() -> None:
    longer = OURS['Labels']([], raw_labels=[1601, 3217])
    assert OURS['Labels'].from_packed(longer.packed) is OURS['Labels'].from_packed(longer.packed[:3]) is not longer


def test_two_labels_on_the_wire_end_at_the_bottom_of_the_stack() -> None:
    packed = b'\0\x06\x40\0\x0c\x81\0\0\0'
    ours = OURS['Labels'].from_packed(packed)
    assert bytes(getattr(ours, 'packed', b'') or ours._packed) == packed[:6] and ours.labels == [100, 200]
    assert ours is OURS['Labels'].from_packed(packed[:6])


# 3. Freed by reference count


@each_value
def test_the_last_holder_takes_object_and_entry_along(name: str, arguments: Any) -> None:
    cls = OURS[name]
    gc.collect()
    gc.disable()
    try:
        before = len(cls._table.data)
        ours = call(arguments)(cls)
        gone = weakref.ref(ours)
        assert len(cls._table.data) == before + 1
        del ours
        assert gone() is None
        assert len(cls._table.data) == before
    finally:
        gc.enable()


# 4. Immutable


@each_value
def test_nothing_can_be_set_or_deleted(name: str, arguments: Any) -> None:
    ours = call(arguments)(OURS[name])
    before = observed(ours)
    for attribute in (*OURS[name]._state, '__class__', 'json', 'added'):
        with pytest.raises(AttributeError, match='shared'):
            setattr(ours, attribute, 1)
        with pytest.raises(AttributeError, match='shared'):
            delattr(ours, attribute)
    assert observed(ours) == before


@each_value
def test_its_dict_is_no_way_in(name: str, arguments: Any) -> None:
    ours, stock = call(arguments)(OURS[name]), call(arguments)(STOCK[name])
    assert vars(ours) == attributes(stock)
    with pytest.raises(TypeError, match='mappingproxy'):
        vars(ours)['json'] = lambda: 'changed'
    assert ours.json() == stock.json() if hasattr(stock, 'json') else True
    with pytest.raises(AttributeError):
        ours.__dict__ = {}


def test_a_list_handed_out_is_a_fresh_one() -> None:
    for arguments in VALUES['Labels']:
        ours = call(arguments)(OURS['Labels'])
        before = observed(ours)
        ours.labels.append(5)
        ours.raw_labels.append(5)
        assert observed(ours) == before


@from_parts
def test_the_list_of_a_caller_is_not_kept() -> None:
    labels, raws = [100], [1601]
    plain, raw = OURS['Labels'](labels), OURS['Labels'](labels, raw_labels=raws)
    before = observed(plain), observed(raw)
    labels.append(200)
    raws.append(5)
    assert (observed(plain), observed(raw)) == before


@each_value
def test_what_exabgp_can_hash_keeps_its_hash(name: str, arguments: Any) -> None:
    ours, stock = call(arguments)(OURS[name]), call(arguments)(STOCK[name])
    assert outcome(lambda: hash(ours)) == (
        hash(stock) if STOCK[name].__hash__ else (TypeError, f"unhashable type: '{name}'")
    )


@from_parts
def test_an_odd_value_is_not_equal_to_itself_where_exabgps_is_not() -> None:
    for cls in (STOCK['EthernetTag'], OURS['EthernetTag'], subclass('EthernetTag')):
        odd = cls(float('nan'))
        assert odd != odd and hash(odd) == hash(odd)


# 5. Sentinels


@pytest.mark.parametrize(('name', 'sentinel'), SENTINELS)
def test_sentinels_are_exabgps_own(name: str, sentinel: str) -> None:
    ours, stock = OURS[name], STOCK[name]
    it = getattr(stock, sentinel)
    assert getattr(ours, sentinel) is it
    assert type(it) is stock
    assert isinstance(it, ours)
    if hasattr(stock, '__copy__'):  # not in the first releases of 5.0
        assert copy.copy(it) is it and copy.deepcopy(it) is it
    for arguments in ([], (), b''), (None,), ():
        assert outcome(lambda: ours(*arguments[:1])) is not it  # noqa: B023
    assert ours([] if name == 'Labels' else b'') is not it


@from_parts
def test_path_info_without_a_value_is_not_nopath() -> None:
    PathInfo = OURS['PathInfo']
    assert PathInfo(integer=0) is PathInfo(b'') is PathInfo(None) is not PathInfo.NOPATH
    assert PathInfo() == PathInfo(b'') and PathInfo() is not PathInfo.NOPATH
    assert PathInfo(bytes(4)) is not PathInfo(b'')


def test_to_isinstance_and_issubclass_the_class_is_exabgps() -> None:
    for name in NAMES:
        Mine = subclass(name)
        stock, ours = call(VALUES[name][0])(STOCK[name]), call(VALUES[name][0])(OURS[name])
        assert isinstance(stock, OURS[name]) and isinstance(ours, STOCK[name])
        assert issubclass(STOCK[name], OURS[name]) and issubclass(Mine, OURS[name])
        assert not isinstance(stock, Mine) and not isinstance(ours, Mine)
        assert not issubclass(OURS[name], Mine) and not isinstance(5, OURS[name])


# 6. Nothing is pinned


@each_class
def test_a_buffer_is_copied_and_let_go(name: str) -> None:
    buffer = bytearray(PACKED[name])
    ours = OURS[name].from_packed(memoryview(buffer))
    before = observed(ours)
    buffer.extend(b'more')  # BufferError, were the buffer still held
    buffer[:] = bytes(len(buffer))
    assert observed(ours) == before
    assert {type(part) for part in flat(key_of(ours))} <= {bytes, int, str, type(None)}


def key_of(ours: Any) -> Any:
    (key,) = (entry.key for entry in ours._canonical._table.valuerefs() if entry() is ours)
    return key


def flat(key: Any) -> list[Any]:
    return [part for each in key for part in flat(each)] if isinstance(key, tuple) else [key]


@each_value
def test_keys_are_plain_values(name: str, arguments: Any) -> None:
    ours = call(arguments)(OURS[name])
    assert {type(part) for part in flat(key_of(ours))} <= {bytes, int, str, type(None)}


class Octets(bytes):
    """Equal to bytes, hashes as they do, and can be told apart."""


SAME_OCTETS = {
    'bytearray': bytearray,
    'view': memoryview,
    'writable view': lambda octets: memoryview(bytearray(octets)),
    'every other': lambda octets: memoryview(bytes(each for octet in octets for each in (octet, 0)))[::2],
    'signed': lambda octets: memoryview(octets).cast('b'),
    'subclass': Octets,
}


@pytest.mark.parametrize('name', ['RouteDistinguisher', 'PathInfo', 'ESI'])
@pytest.mark.parametrize('kind', SAME_OCTETS.values(), ids=SAME_OCTETS)
def test_what_is_equal_to_bytes_is_taken_for_them_whoever_comes_first(name: str, kind: Any) -> None:
    cls, octets = OURS[name], PACKED[name]
    first = cls(kind(octets))
    assert is_canonical(first) and type(getattr(first, cls._state[0])) is bytes
    assert first is cls(octets) is cls(kind(octets))
    del first
    kept = cls(octets)
    assert cls(kind(octets)) is kept


@from_parts
@pytest.mark.parametrize('name', ['RouteDistinguisher', 'PathInfo', 'ESI'])
@pytest.mark.parametrize('format', ['b', 'c'])
def test_a_view_that_reads_otherwise_is_not_taken_for_octets(name: str, format: str) -> None:
    octets = bytes(range(250, 256)) + PACKED[name][6:]
    kept, odd = OURS[name](octets), OURS[name](memoryview(octets).cast(format))
    assert kept is not odd
    stock = STOCK[name](memoryview(octets).cast(format))
    assert outcome(odd.json) == outcome(stock.json) and odd.pack() == stock.pack()


# 7. Refusals


def refused() -> list[Any]:
    if FROM_WIRE:
        return [
            *((name, arguments) for name in NAMES for arguments in (((), {}), ((5,), {}), ((bytes(7),), {}))),
            ('MAC', (('aa:zz',), {})),
        ]
    return [
        ('RouteDistinguisher', ((), {})),
        ('RouteDistinguisher', ((5,), {})),
        ('Labels', ((), {})),
        ('Labels', (([-1],), {})),
        ('Labels', (([2**28],), {})),
        ('Labels', ((['a'],), {})),
        ('Labels', ((None,), {})),
        ('PathInfo', ((), {'ip': '1.2.3.400'})),
        ('PathInfo', ((), {'integer': 'a'})),
        ('ESI', ((bytes(9),), {})),
        ('ESI', ((5,), {})),
        ('MAC', ((), {})),
        ('MAC', (('aa:zz',), {})),
        ('MAC', ((5,), {})),
        ('NextHop', ((), {})),
        ('NextHop', (('192.0.2',), {})),
        ('NextHop', (('2001:db8::x',), {})),
        ('NextHop', (('host', bytes(4)), {})),
        ('NextHop', ((5, bytes(4)), {})),
    ]


@pytest.mark.parametrize('kept', [False, True], ids=['empty', 'kept'])
@pytest.mark.parametrize(('name', 'arguments'), refused())
def test_what_exabgp_refuses_is_refused_in_the_same_words(name: str, arguments: Any, kept: bool) -> None:
    values = (*VALUES[name], *(() if FROM_WIRE else GOOD.get(name, ()))) if kept else ()
    alive = [call(each)(OURS[name]) for each in values]  # noqa: F841  # while the wrong arguments are tried
    before = len(OURS[name]._table.data), OURS[name]._table.misses()
    stock = outcome(lambda: call(arguments)(STOCK[name]))
    assert isinstance(stock, tuple)
    assert outcome(lambda: call(arguments)(OURS[name])) == stock
    assert (len(OURS[name]._table.data), OURS[name]._table.misses()) == before


@each_class
@pytest.mark.parametrize('kept', [False, True], ids=['empty', 'kept'])
def test_a_call_with_wrong_parameters_is_a_type_error(name: str, kept: bool) -> None:
    """Python's words name `__new__` here, where they name `__init__` of ExaBGP's class."""
    values = VALUES[name] if kept else ()
    alive = [call(each)(OURS[name]) for each in values]  # noqa: F841  # while the wrong arguments are tried
    before = len(OURS[name]._table.data), OURS[name]._table.misses()
    good = PACKED[name]
    parameters = OURS[name]._parameters
    calls: list[Any] = [
        ((good,) * (len(parameters) + 1), {}),
        ((good,), {parameters[0]: good}),
        *(((good,), {keyword: 1}) for keyword in ('other', 'self', 'cls', 'args', 'kwargs')),
        *(((), {keyword: good}) for keyword in ('other', 'self', 'cls', 'args', 'kwargs')),
    ]
    for wrong in calls:
        for cls in (OURS[name], STOCK[name]):
            with pytest.raises(TypeError):
                call(wrong)(cls)
        # in a subclass without a constructor of its own, it is ExaBGP's that refuses
        assert outcome(lambda: call(wrong)(subclass(name))) == outcome(lambda: call(wrong)(STOCK[name]))  # noqa: B023
    assert (len(OURS[name]._table.data), OURS[name]._table.misses()) == before


# What the refused arguments begin with, to find it in the table.
GOOD: dict[str, Any] = {
    'RouteDistinguisher': [((bytes(8),), {})],
    'Labels': [(([1],), {}), (([1], True, [2]), {})],
    'PathInfo': [((b'1234',), {})],
    'ESI': [((bytes(10),), {})],
    'EthernetTag': [((1,), {})],
    'MAC': [],
}


# 8. What is odd


class Number(IntEnum):
    ONE = 1


@from_parts
@pytest.mark.parametrize('odd', [1.0, True, Number.ONE, '1', None, [1], float('nan')])
def test_an_odd_tag_is_let_through_and_never_merged(odd: Any) -> None:
    EthernetTag = OURS['EthernetTag']
    one = EthernetTag(1)
    ours = EthernetTag(odd)
    assert ours is not one and EthernetTag(1) is one
    assert isinstance(ours, EthernetTag)
    assert observed(ours) == observed(STOCK['EthernetTag'](odd))


class Hostile:
    """Raises for whoever looks closely, as an array of numpy does."""

    def __eq__(self, other: object) -> bool:
        raise ValueError('ambiguous')

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)

    def __len__(self) -> int:
        return 10

    __hash__ = None  # type: ignore[assignment]


@from_parts
@pytest.mark.parametrize('name', ['RouteDistinguisher', 'PathInfo', 'ESI', 'EthernetTag'])
def test_what_cannot_be_compared_is_let_through(name: str) -> None:
    odd = Hostile()
    held = OURS[name]._state[0]
    assert getattr(OURS[name](odd), held) is getattr(STOCK[name](odd), held) is odd


@from_parts
def test_odd_labels_are_let_through() -> None:
    Labels, Stock = OURS['Labels'], STOCK['Labels']
    assert Labels(label for label in (1, 2)).packed == Stock(label for label in (1, 2)).packed
    for odd in ((100,), [True], [Number.ONE], range(2)):
        assert observed(Labels(odd)) == observed(Stock(odd))
        assert Labels(odd) is not Labels([*odd])


@each_value
def test_no_argument_is_equal_to_what_is_in_the_table(name: str, arguments: Any) -> None:
    kept = call(arguments)(OURS[name])
    key = key_of(kept)
    for forged in (key, (key,), (key, key)):
        if type(forged) is tuple:
            ways: list[Any] = [lambda cls: cls(forged), lambda cls: decode(cls, forged)]  # noqa: B023
            if len(OURS[name]._parameters) > 1:
                ways.append(lambda cls: cls('1', forged))  # noqa: B023
            for how in ways:
                ours, stock = outcome(lambda: how(OURS[name])), outcome(lambda: how(STOCK[name]))  # noqa: B023
                assert ours == stock if isinstance(stock, tuple) else observed(ours) == observed(stock)


# A bare instance


@each_value
def test_new_without_arguments_is_a_plain_instance_to_fill(name: str, arguments: Any) -> None:
    cls = OURS[name]
    stock = call(arguments)(STOCK[name])
    before = len(cls._table.data)
    bare, other = cls.__new__(cls), cls.__new__(cls)
    assert bare is not other and type(bare) is cls
    for attribute, value in attributes(stock).items():
        setattr(bare, attribute, value)
    assert observed(bare) == observed(stock)
    if hasattr(stock, '__dict__'):  # as ExaBGP's own copies do
        other.__dict__.update(stock.__dict__)
        assert observed(other) == observed(stock)
    assert len(cls._table.data) == before


@each_class
def test_a_call_without_arguments_does_what_exabgps_does(name: str) -> None:
    ours, stock = outcome(OURS[name]), outcome(STOCK[name])
    assert ours == stock if isinstance(stock, tuple) else observed(ours) == observed(stock)


@each_value
def test_the_class_of_an_instance_constructs_as_the_canonical_class(name: str, arguments: Any) -> None:
    ours = call(arguments)(OURS[name])
    assert call(arguments)(type(ours)) is ours
    bare = type(ours).__new__(type(ours))
    assert type(bare) is OURS[name]
    for attribute in OURS[name]._state:
        setattr(bare, attribute, getattr(ours, attribute))
    assert observed(bare) == observed(ours) == observed(call(arguments)(OURS[name]))
    assert isinstance(ours, OURS[name]) and issubclass(type(ours), OURS[name])
    assert type(ours).__name__ == name and pickle.loads(pickle.dumps(type(ours))) is type(ours)
    with pytest.raises(TypeError, match=f'derive from {name}'):
        type('Mine', (type(ours),), {})


@each_class
def test_what_is_refused_late_in_the_exit_of_the_interpreter_crashes_nothing(name: str) -> None:
    program = f"""
import codecs
from exabgp_intern import {name} as cls
class Late:
    def __del__(self, ways=(cls.from_packed, getattr(cls, cls._decoder or 'from_packed'), cls)):
        for way in ways:
            try:
                way(b'12345')
            except BaseException:
                pass
class Handler:
    def __init__(self, late):
        self.late = late
    def __call__(self, error):
        pass
codecs.register_error('late', Handler(Late()))
"""
    done = subprocess.run([sys.executable, '-c', program], timeout=60)
    assert done.returncode == 0
