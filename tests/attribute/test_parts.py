"""Path attributes that sets share, side by side with ExaBGP's own decoder."""

from __future__ import annotations

import copy
import gc
import pickle
from importlib import import_module
from random import Random
from typing import Any, Callable, Iterator

import pytest
from exabgp.bgp.message.direction import Direction
from exabgp.bgp.message.update.attribute import Attribute
from exabgp.bgp.message.update.attribute import Attributes as Stock
from exabgp.bgp.message.update.attribute.community.initial.community import Community
from exabgp.protocol.ip import NoNextHop

import exabgp_intern
from exabgp_intern import lines
from exabgp_intern.attribute import parts, sightings
from exabgp_intern.attribute.frozen import CONSTANT, Frozen, FrozenList
from exabgp_intern.installation import sets
from tests.attribute.attribute_sets import session, sessions, shown, state
from tests.support import outcome, with_a_fault
from tests.update_octets import (
    AIGP,
    EITHER_PATH,
    KINDS,
    NEXT_HOP,
    ORIGIN,
    attribute,
    mutated,
)

STOCK_UNPACK = vars(Attribute)['unpack'].__func__


@pytest.fixture(autouse=True)
def shared() -> Iterator[None]:
    sightings._seen[:] = bytes(len(sightings._seen))
    parts.HOOKS.install()
    assert parts.HOOKS.installed()
    yield
    parts.HOOKS.uninstall()
    assert vars(Attribute)['unpack'].__func__ is STOCK_UNPACK
    gc.collect()
    assert not parts.TABLE.data


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Share what is decoded for the first time, too."""
    monkeypatch.setattr(sightings, 'seen_before', lambda key: True)


def decoded(octets: bytes, negotiated: Any, direction: Any = Direction.IN) -> Any:
    """Return the set that ExaBGP makes of the attributes of an UPDATE."""
    return Stock().parse(octets, direction, negotiated)


def stock(octets: bytes, negotiated: Any) -> Any:
    parts.HOOKS.uninstall()
    try:
        return decoded(octets, negotiated)
    finally:
        parts.HOOKS.install()


def seen(decode: Callable[..., Any], octets: bytes, negotiated: Any, kept: Any = None) -> Any:
    made = outcome(lambda: decode(octets, negotiated))
    if kept is not None:
        kept.append(made)
    return shown(made, negotiated) if isinstance(made, Stock) else made


# ------------------------------------------------------------------------------------------- the same


def differences(sections: Iterator[bytes], ours: Any = None) -> list[bytes]:
    """Return the attribute sections that a session decodes to another thing than with ExaBGP's own decoder.

    All are decoded three times on sessions of all kinds, in turn, while the attributes of earlier ones live.
    """
    kept: list[Any] = []
    found = []
    for octets in sections:
        for _ in range(3):
            found += [
                octets
                for mine, own in zip(ours or sessions(), sessions())
                if seen(decoded, octets, mine, kept) != seen(stock, octets, own)
            ]
    return found


@pytest.mark.parametrize('caching', [True, False])
def test_every_attribute_comes_out_as_from_exabgp(caching: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """ExaBGP's own cache of attributes is never asked, whatever `cache.attributes` says."""
    try:
        settings = import_module('exabgp.environment').getenv()
    except ImportError:  # 4.2
        settings = import_module('exabgp.configuration.setup').environment.settings()
    monkeypatch.setitem(settings.cache, 'attributes', caching)
    assert differences(iter(KINDS.values())) == []
    assert Attribute.caching is caching


def test_at_the_first_sighting_too(at_once: None) -> None:
    assert differences(iter(KINDS.values())) == []


@pytest.mark.parametrize('seed', range(3))
def test_mutated_attributes_come_out_as_from_exabgp(seed: int) -> None:
    random = Random(seed)
    kinds = list(KINDS.values())
    sections = (
        b''.join(mutated(random, each) for each in random.sample(kinds, random.randrange(1, 5))) for _ in range(500)
    )
    assert differences(sections) == []


@pytest.mark.parametrize('octets', [EITHER_PATH, AIGP, KINDS['aggregator of two octets'], KINDS['path or error']])
def test_a_session_does_not_decide_what_another_is_told(octets: bytes, at_once: None) -> None:
    assert differences(iter([octets])) == []
    kinds = sessions()
    kept = [outcome(lambda each=each: decoded(octets, each)) for each in (*kinds, *reversed(kinds))]  # type: ignore[misc]
    assert len({str(each) for each in kept}) > 1


def test_only_the_routes_depend_on_the_direction() -> None:
    """No attribute but MP_REACH_NLRI and MP_UNREACH_NLRI looks at the direction, so that is not in the key."""

    class Unasked:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f'asked for {name}')

        __eq__ = __hash__ = __bool__ = None  # type: ignore[assignment]

    for octets in KINDS.values():
        for negotiated in sessions():
            assert seen(lambda *of: decoded(*of, Unasked()), octets, negotiated) == seen(stock, octets, negotiated)


# ------------------------------------------------------------------------------------- what is shared


# One new value in 256 is taken for a known one, and then shared at its first sighting.


def attributes_of(octets: bytes, negotiated: Any = None) -> list[Any]:
    return list(decoded(octets, negotiated or session()).values())


# What ExaBGP makes None of, or not without what a test's session has not agreed on.
NOTHING = {'nothing', 'empty path', 'AIGP', 'two TLVs of AIGP', 'unknown and not transitive'}


@pytest.mark.parametrize('name', [name for name in KINDS if name not in NOTHING])
def test_one_object_from_the_second_sighting_on(name: str) -> None:
    made = outcome(lambda: [attributes_of(KINDS[name]) for _ in range(5)])
    if not isinstance(made, list):
        return  # refused
    for first, *others in zip(*made):
        if not isinstance(first, Attribute):
            assert not any(isinstance(each, Frozen) for each in others)  # an error
            continue
        assert isinstance(others[-1], Frozen)
        assert len(set(map(id, (first, *others)))) <= 2
        assert others[-1].__class__ is first.__class__ is type(stock(KINDS[name], session())[first.ID])


def test_one_object_for_each_community() -> None:
    kept = [decoded(attribute(0xC0, 8, b'abcd' + bytes([number] * 4)), session())[8] for number in range(10)]
    assert len({id(next(each for each in made if each.pack() == b'abcd')) for made in kept}) <= 2


def test_a_set_has_one_key_for_each_code() -> None:
    kept = [decoded(ORIGIN + attribute(0x80, 4, bytes([number] * 4)), session()) for number in range(10)]
    assert len({id(key) for made in kept for key in made}) == 2
    assert {type(key) for made in kept for key in made} == {Attribute.CODE}
    assert str(kept[0]).strip() == 'origin igp med 0' and [repr(key) for key in kept[0]] == ['origin', 'med']


def test_flags_that_mean_the_same_share() -> None:
    short, long = (attribute(flags, 4, b'\0\0\0\5') for flags in (0x80, 0x90))
    first, second, third = (attributes_of(each)[0] for each in (short, long, short))
    assert second is third and first == second


def test_unknown_attributes_keep_their_flags(at_once: None) -> None:
    one, other = (attributes_of(attribute(flags, 99, b'abc'))[0] for flags in (0xC0, 0xD0))
    assert one is not other and (one.FLAG, other.FLAG) == (0xE0, 0xF0)
    assert one.pack() != other.pack()


def test_a_next_hop_is_of_its_own_class(at_once: None) -> None:
    made = decoded(NEXT_HOP, session())[3]
    assert not isinstance(made, Frozen)
    assert not parts.TABLE.data
    exabgp_intern.install()
    try:
        first, second = (decoded(NEXT_HOP, session())[3] for _ in '12')
        assert type(first).__module__ == 'exabgp_intern.attribute.nexthop' and first is second
        assert [entry() for entry in parts.TABLE.data.values()] == [first]
        assert Attribute.unpack(3, 0x40, b'', Direction.IN, session()) is NoNextHop
    finally:
        exabgp_intern.uninstall()
        parts.HOOKS.install()


def test_a_next_hop_that_is_none_is_not_shared(at_once: None) -> None:
    with_its_fault = with_a_fault(parts, 'isinstance(shared, Shared)', 'True')
    for hooks, same in ((parts.HOOKS, True), (with_its_fault.HOOKS, False)):
        parts.HOOKS.uninstall()
        hooks.install()
        assert (Attribute.unpack(3, 0x40, b'', Direction.IN, session()) is NoNextHop) is same
        hooks.uninstall()
    parts.HOOKS.install()


def test_what_is_no_bytes_is_exabgps(at_once: None) -> None:
    for odd in (bytearray, memoryview):
        assert not isinstance(Community.unpack(odd(b'abcd'), None, None), Frozen)
        made = Attribute.unpack(Attribute.CODE.LOCAL_PREF, 0x40, odd(b'\0\0\0\1'), Direction.IN, session())
        assert not isinstance(made, Frozen)


def test_refusals_are_exabgps() -> None:
    origin, unknown, none = map(Attribute.CODE, (1, 99, 300))
    for arguments in ((none, 0x40, b''), (origin, 999, b'\0'), (unknown, 0xC0, b'a'), (origin, None, b'\0')):
        of_ours = outcome(lambda arguments=arguments: Attribute.unpack(*arguments, Direction.IN, session()))  # type: ignore[misc]
        parts.HOOKS.uninstall()
        of_exabgp = outcome(lambda arguments=arguments: Attribute.unpack(*arguments, Direction.IN, session()))  # type: ignore[misc]
        parts.HOOKS.install()
        assert of_ours == of_exabgp and isinstance(of_ours, tuple)
    assert not parts.TABLE.data


# --------------------------------------------------------------------------------------- sightings


def test_of_the_first_sighting_nothing_stays() -> None:
    before = len(parts.TABLE.data)
    kept = [attributes_of(attribute(0x80, 4, number.to_bytes(4, 'big'))) for number in range(1000, 2000)]
    assert len(parts.TABLE.data) - before < 20  # one new value in 256 is taken for a known one
    kept += [attributes_of(attribute(0x80, 4, number.to_bytes(4, 'big'))) for number in range(1000, 2000)]
    assert len(parts.TABLE.data) - before > 950


def test_a_key_is_remembered_until_another_takes_its_place() -> None:
    key, other = 7 << 16 | 5, 8 << 16 | 5  # the hash of an int is the int
    assert not sightings.seen_before(key)
    assert sightings.seen_before(key)
    assert not sightings.seen_before(other)
    assert not sightings.seen_before(key)
    assert len(sightings._seen) == 1 << 16


# ---------------------------------------------------------------------------------------- immutable


def inside(value: Any) -> Iterator[Any]:
    """Yield `value`, and all that it holds, without ExaBGP's texts."""
    yield value
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from inside(each)
    if isinstance(value, Frozen) and not isinstance(value, list):
        for name, each in lines.attributes(value).items():
            if not name.startswith('_'):
                yield from inside(each)


@pytest.mark.parametrize('name', KINDS)
@pytest.mark.parametrize('aigp', [True, False])
def test_nothing_in_an_attribute_can_be_changed(name: str, aigp: bool, at_once: None) -> None:
    made = outcome(lambda: attributes_of(KINDS[name], session(aigp=aigp)))
    for each in made if isinstance(made, list) else ():
        if not isinstance(each, Attribute):
            continue
        before = state(each)
        for part in inside(each):
            assert isinstance(part, (*CONSTANT, Frozen)), part
            if isinstance(part, FrozenList):
                with pytest.raises(TypeError, match='shared'):
                    part.append(0)
            elif isinstance(part, Frozen):
                for attribute_name in (*lines.attributes(part), 'new', '_new', 'ID', 'pack'):
                    if not attribute_name.startswith('_') or attribute_name == '_new':
                        with pytest.raises(AttributeError, match='shared'):
                            setattr(part, attribute_name, 0)
                    with pytest.raises(AttributeError, match='shared'):
                        delattr(part, attribute_name)
        assert state(each) == before


COPIES: dict[str, Callable[[Any], Any]] = {
    'copy': copy.copy,
    'deepcopy': copy.deepcopy,
    **{
        f'pickle {protocol}': lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol))  # type: ignore[misc]
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize('how', COPIES)
@pytest.mark.parametrize('name', KINDS)
def test_a_copy_is_exabgps_own(name: str, how: str, at_once: None) -> None:
    made = outcome(lambda: attributes_of(KINDS[name]))
    own = outcome(lambda: list(stock(KINDS[name], session()).values()))
    for ours, theirs in zip(made, own) if isinstance(made, list) else ():
        if not isinstance(ours, Attribute):
            continue
        copied = outcome(lambda ours=ours: COPIES[how](ours))  # type: ignore[misc]
        if isinstance(copied, tuple):
            assert copied == outcome(lambda theirs=theirs: COPIES[how](theirs))  # type: ignore[misc]
            continue
        assert type(copied) is type(theirs)
        assert state(copied) == state(theirs) == state(ours)
        assert not any(isinstance(each, Frozen) for each in every(copied))


def every(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from every(each)
    elif not isinstance(value, type):
        for each in lines.attributes(value).values():
            yield from every(each)


def test_texts_are_made_when_they_are_asked_for_and_once(at_once: None) -> None:
    made, again = (attributes_of(EITHER_PATH)[0] for _ in range(2))
    assert made is again
    assert not made._str
    text = str(made)
    assert made._str is text is again._str


# --------------------------------------------------------------------------------------------- weak


def test_attributes_go_with_their_last_set() -> None:
    gc.collect()
    gc.disable()
    try:
        kept = [attributes_of(octets) for octets in (KINDS['communities'], KINDS['link state'], EITHER_PATH) * 3]
        assert len(parts.TABLE.data) == 6  # three communities too
        del kept
        assert not parts.TABLE.data
    finally:
        gc.enable()


# ----------------------------------------------------------------------------------------- switches


def test_install_switches_it() -> None:
    parts.HOOKS.uninstall()
    exabgp_intern.install(path_attributes=False)
    assert not parts.HOOKS.installed()
    exabgp_intern.install()
    assert parts.HOOKS.installed()
    exabgp_intern.uninstall()
    assert not parts.HOOKS.installed()
    assert vars(Attribute)['unpack'].__func__ is STOCK_UNPACK
    parts.HOOKS.install()


def test_another_shape_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    parts.HOOKS.uninstall()
    assert 'PathAttributes' in sets()
    for owner, name, other in (
        (Attribute, 'unpack', classmethod(lambda cls, attribute_id, flag, data, negotiated: None)),  # as in ExaBGP 6
        (Community, 'unpack', staticmethod(lambda data, direction, negotiated: None)),
        (parts.attributes, 'GenericAttribute', lambda data: None),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, other)
            assert 'PathAttributes' not in sets()
    parts.HOOKS.install()
    assert 'PathAttributes' in sets()


def test_stats_have_a_row(at_once: None) -> None:
    before = exabgp_intern.stats()['PathAttributes']
    kept = [decoded(EITHER_PATH, session()) for _ in range(1000)]
    now = exabgp_intern.stats()['PathAttributes']
    assert (now.alive, now.references, now.made, now.freed) == (1, 1000, before.made + 1, before.freed)
    assert now.bytes_saved > 300 * 1000
    del kept
    assert exabgp_intern.stats()['PathAttributes'].alive == 0


# ------------------------------------------------------------------------------------------- faults


FAULTS = {
    'a key without asn4': ('else agreed(negotiated)', 'else agreed(negotiated) & 2'),
    'a key without AIGP': ('else agreed(negotiated)', 'else agreed(negotiated) & 1'),
    'a key without its code': ('code, flag | EXTENDED', '0, flag | EXTENDED'),
    'unknown without their flags': ('bytes((code, flag))', 'bytes((code, 0))'),
    'unknown without their code': ('bytes((code, flag))', 'bytes((0, flag))'),
    'communities by two octets': ('COMMUNITY + data', 'COMMUNITY + data[:2]'),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if 'AIGP' in fault and not isinstance(outcome(lambda: attributes_of(AIGP, session(aigp=True))), list):
        pytest.skip('this ExaBGP cannot decode AIGP')
    faulty = with_a_fault(parts, *FAULTS[fault])
    monkeypatch.setattr(sightings, 'seen_before', lambda key: True)
    sections = [*KINDS.values(), attribute(0x80, 4, b'\0\0\0\5') + attribute(0x40, 5, b'\0\0\0\5')]
    sections += [attribute(flags, code, b'abc') for flags in (0xC0, 0xD0) for code in (98, 99)]
    sections += [attribute(0xC0, 8, b'abcd'), attribute(0xC0, 8, b'abxy')]
    parts.HOOKS.uninstall()
    monkeypatch.setattr(parts, 'HOOKS', faulty.HOOKS)
    faulty.HOOKS.install()
    try:
        assert differences(iter(sections))
    finally:
        faulty.HOOKS.uninstall()
        monkeypatch.undo()
        parts.HOOKS.install()


def test_a_shared_object_that_is_not_frozen_is_found(at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sightings, 'frozen', lambda made: copy.copy(made))
    with pytest.raises(AssertionError):
        test_nothing_in_an_attribute_can_be_changed('metric', False, None)
