"""Attribute sets that UPDATEs share, side by side with ExaBGP's own decoder."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import sys
import types
from typing import Any, Callable, Iterator

import pytest
from exabgp.bgp.message import Action, Update
from exabgp.bgp.message.direction import Direction
from exabgp.bgp.message.update.attribute import MED, Attribute, ExtendedCommunities, NextHop
from exabgp.bgp.message.update.attribute import Attributes as Stock
from exabgp.bgp.message.update.attribute.community import Communities
from exabgp.environment import getenv
from exabgp.logger import option
from exabgp.rib.change import Change
from exabgp.rib.outgoing import OutgoingRIB

import exabgp_intern
from exabgp_intern.attribute import octets, sightings
from exabgp_intern.attribute import received as attributes
from exabgp_intern.attribute.frozen import FrozenList
from exabgp_intern.attribute.received import Received, Single
from tests.attribute.attribute_sets import STOCK_DECODER, decoded, forget, seen, session, sessions, shown, stock
from tests.support import outcome, shares_from_second, with_a_fault
from tests.update_octets import (
    AIGP,
    EITHER_PATH,
    LOCAL_PREFERENCE,
    NEXT_HOP,
    ORIGIN,
    PATH_OR_ERROR,
    PREFIX,
    REACH,
    SETS,
    SHAPES,
    TRAPS,
    attribute,
    corpus,
    update,
)

FULL = SETS['all']


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sightings, 'seen_before', lambda key: True)
    attributes.HOOKS.install()
    assert attributes.HOOKS.installed()
    yield
    attributes.HOOKS.uninstall()
    assert vars(Update)['unpack_message'].__func__ is STOCK_DECODER
    gc.collect()
    forget(session())
    assert not Received._refs


def hits() -> int:
    return sum(entry.hits for entry in Received._refs.values())


# --------------------------------------------------------------------------------------- the same


def differences(bodies: Iterator[bytes]) -> list[bytes]:
    """Return the UPDATEs of which a session sees another thing than with ExaBGP's own decoder.

    All are decoded twice on sessions of all kinds, in turn, while the sets of earlier ones live.
    """
    ours, theirs, kept, found = sessions(), sessions(), [], []
    for body in bodies:
        for _ in range(2):
            found += [
                body
                for mine, own in zip(ours, theirs)
                if seen(decoded, body, mine, kept=kept) != seen(stock, body, own)
            ]
    assert hits() > 200
    # with an error: what stands for it is in the set
    found += [b'' for each in kept if type(each) is Received and max(each, default=0) > 255]
    return found


def test_every_update_comes_out_as_from_exabgp() -> None:
    assert differences(corpus()) == []


@pytest.mark.parametrize('caching', [True, False])
def test_with_and_without_exabgps_cache_of_attributes(caching: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(getenv().cache, 'attributes', caching)
    kept: list[Any] = []
    for shared in SETS.values():
        for shape in SHAPES.values():
            assert seen(decoded, shape(shared), session(), kept=kept) == seen(stock, shape(shared), session())


@pytest.mark.parametrize('direction', [Direction.IN, Direction.OUT])
@pytest.mark.parametrize('addpath', [True, False])
def test_in_both_directions_with_paths_and_without(direction: Any, addpath: bool) -> None:
    mine, own, kept = session(addpath=addpath), session(addpath=addpath), []
    for shared in (FULL, ORIGIN):
        for shape in (*SHAPES.values(), *TRAPS.values()):
            body = shape(shared)
            for _ in range(2):
                assert seen(decoded, body, mine, direction) == seen(stock, body, own, direction)
            try:
                kept.append(decoded(body, mine, direction))
            except Exception:
                continue


@pytest.mark.parametrize('odd', [bytearray, memoryview])
def test_what_is_no_bytes_is_exabgps(odd: Any) -> None:
    body = update(ORIGIN, PREFIX)
    kept = decoded(body, session())
    assert type(kept.attributes) is Received
    assert seen(decoded, odd(body), session()) == seen(stock, odd(body), session())


def test_without_a_session_it_is_exabgps() -> None:
    body = update(ORIGIN + REACH)
    kept = decoded(body, session())
    assert seen(decoded, body, None) == seen(stock, body, None)
    assert kept


def test_an_odd_session_is_exabgps() -> None:
    mine, own = session(), session()
    mine.asn4 = own.asn4 = 1
    kept = decoded(update(EITHER_PATH + REACH), session())
    assert seen(decoded, update(EITHER_PATH + REACH), mine) == seen(stock, update(EITHER_PATH + REACH), own)
    assert type(decoded(update(EITHER_PATH + REACH), mine).attributes) is Stock
    assert kept


@pytest.mark.parametrize('shape', ['reach behind', 'classic'])
def test_a_session_with_anything_in_it_is_exabgps(shape: str) -> None:
    class Anything:
        def __getattr__(self, name: str) -> object:
            return object()

    body = SHAPES[shape](ORIGIN)
    kept = decoded(body, session())
    assert seen(decoded, body, Anything()) == seen(stock, body, Anything())
    assert kept


# ------------------------------------------------------------------------------- what bytes mean


@pytest.mark.parametrize('meaning', [EITHER_PATH, PATH_OR_ERROR, AIGP, EITHER_PATH + AIGP])
def test_a_session_does_not_decide_what_another_is_told(meaning: bytes) -> None:
    alone = [seen(stock, update(ORIGIN + meaning + REACH), own) for own in sessions()]
    assert len(set(map(repr, alone))) > 1
    for first in range(4):
        ours = sessions()
        kept: list[Any] = []
        seen(decoded, update(ORIGIN + meaning + REACH), ours[first], kept=kept)
        for mine, expected in zip(ours * 2, alone * 2):
            assert seen(decoded, update(ORIGIN + meaning + REACH), mine, kept=kept) == expected


def test_what_exabgp_keeps_of_another_session_is_not_shared() -> None:
    # 5.0.1 keeps the set of the UPDATE before for all sessions, 5.0.15 for one, whatever that has agreed on meanwhile
    body = update(EITHER_PATH, PREFIX)
    mine = session(True)
    first = Update.unpack_message(body, Direction.IN, mine)
    mine.asn4 = False
    second = Update.unpack_message(body, Direction.IN, mine)
    third, fourth = (Update.unpack_message(body, Direction.IN, session(False)) for _ in '12')
    assert second.attributes is (third if hasattr(Stock, 'cached') else first).attributes
    assert str(first.attributes) != str(third.attributes) and third.attributes is fourth.attributes
    mine.cached_attributes = None


def test_a_set_that_somebody_has_changed_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sightings, 'seen_before', lambda key: True)
    octets = SETS['large communities'] + NEXT_HOP
    expected = sorted(stock(update(octets, PREFIX), session()).attributes)
    one = session()
    mine = stock(update(octets, PREFIX), one).attributes  # as from before install()
    mine.pop(5)
    Update.unpack_message(update(octets, PREFIX, b'\x08\x0c'), Direction.IN, one)
    one.cached_attributes = None
    kept = Update.unpack_message(update(octets, PREFIX), Direction.IN, session()).attributes
    assert sorted(kept) == expected and type(mine) is Stock
    mine.pop(1)


class Unasked:
    """A direction that is none."""


class Spied:
    """A session that notes what is read of it."""

    def __init__(self, real: Any) -> None:
        self.__dict__.update(real=real, read=set())

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self.real, name)


def test_nothing_else_of_a_session_decides_what_attributes_mean() -> None:
    read: set[str] = set()
    for shared in SETS.values():
        for real in sessions():
            spied = Spied(real)
            try:
                # what the direction is must not matter, nor may there be anything to ask it
                Stock().parse(shared, Unasked(), spied)
            except Exception as raised:
                assert 'Unasked' not in str(raised)
            read |= spied.read
    assert read == {'asn4', 'aigp'}


# ----------------------------------------------------------------------------------- what is shared


def test_one_set_for_all_updates_of_all_sessions() -> None:
    one, other = session(), session()
    first = decoded(update(FULL + REACH), one)
    second = decoded(update(REACH + FULL), other)
    third = decoded(update(FULL, withdrawn=PREFIX), one)
    assert first.attributes is second.attributes is third.attributes
    assert type(first.attributes) is Received
    assert isinstance(first.attributes, Stock)
    assert not {14, 15} & first.attributes.keys()
    # other octets, though they mean the same
    assert decoded(update(LOCAL_PREFERENCE + ORIGIN + REACH), one).attributes is not (
        decoded(update(ORIGIN + LOCAL_PREFERENCE + REACH), one).attributes
    )


def test_next_hops_are_those_of_the_set() -> None:
    for shape in ('classic', 'classic and reach', 'two next hops', 'all fields'):
        first, second = (decoded(SHAPES[shape](ORIGIN), session()) for _ in range(2))
        assert first.attributes is second.attributes
        for made in (first, second):
            (route, *_) = [nlri for nlri in made.nlris if nlri.action == Action.ANNOUNCE]
            assert route.nexthop is first.attributes[Attribute.CODE.NEXT_HOP]


@pytest.mark.parametrize('trap', TRAPS)
@pytest.mark.parametrize('session_of', [lambda: session(True), lambda: session(False)], ids=['asn4', 'asn2'])
def test_traps_come_out_as_from_exabgp(trap: str, session_of: Callable[[], Any]) -> None:
    for shared in (FULL, ORIGIN + LOCAL_PREFERENCE, b''):
        kept = [decoded(SHAPES[shape](shared), session_of()) for shape in ('reach behind', 'classic', 'unreach')]
        for _ in range(2):
            assert seen(decoded, TRAPS[trap](shared), session_of()) == seen(stock, TRAPS[trap](shared), session_of())
        assert kept


@pytest.mark.parametrize('name', [name for name in TRAPS if name != 'reach with wrong flags'])
def test_traps_are_not_shared(name: str) -> None:
    kept = decoded(update(FULL + REACH), session())
    try:
        made = decoded(TRAPS[name](FULL), session())
    except Exception:
        return
    if 'wrong flags' not in name:  # which 5.0.1 passes over
        assert made.attributes is not kept.attributes
        # 5.0.1 finds no error in the one
        assert type(made.attributes) is Stock or name == 'an attribute into the routes'


@pytest.mark.parametrize('name', list(SETS))
def test_what_has_an_error_is_not_shared(name: str) -> None:
    for real in sessions():
        body = update(SETS[name] + REACH)
        try:
            expected = stock(body, real)
        except Exception:
            continue
        error = max(expected.attributes, default=0) > 255
        first, second = decoded(body, real), decoded(body, real)
        assert (type(first.attributes) is Stock) is error
        assert (first.attributes is second.attributes) is not error


def test_a_debug_log_tells_every_attribute(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(option, 'log_enabled', lambda source, level: source == 'parser')
    told: list[str] = []
    monkeypatch.setattr(option, 'logger', types.SimpleNamespace(debug=told.append))
    monkeypatch.setattr(option, 'formater', lambda line, *_: line)
    body = update(ORIGIN + LOCAL_PREFERENCE + REACH)
    kept = decoded(body, session())
    first, told[:] = list(told), []
    again = decoded(body, session())
    assert told[:-1] == first[:-1]
    assert sum('attribute' in line for line in told) >= 3
    # the last has the time
    assert told[-1].startswith('decoded UPDATE') and '"local-preference": 100' in told[-1]
    assert kept.attributes is again.attributes


# ------------------------------------------------------------------------------------- immutable


def built(*texts: bytes) -> Any:
    return ExtendedCommunities.unpack(b''.join(texts), None, None)


EXTENDED = built(b'\0\2\0\1\0\0\0\1')
READS = {
    *('__class__', '__class_getitem__', '__contains__', '__delattr__', '__dir__', '__doc__', '__eq__', '__format__'),
    *('__ge__', '__getattribute__', '__getitem__', '__getstate__', '__gt__', '__hash__', '__init__', '__iter__'),
    *('__init_subclass__', '__le__', '__len__', '__lt__', '__ne__', '__new__', '__or__', '__reduce__', '__repr__'),
    *('__reduce_ex__', '__reversed__', '__ror__', '__setattr__', '__sizeof__', '__str__', '__subclasshook__', 'copy'),
    *('__add__', '__mul__', '__rmul__', 'count', 'fromkeys', 'get', 'index', 'items', 'keys', 'values'),
}
CHANGES: dict[str, Callable[[Any], Any]] = {
    '__setitem__': lambda it: it.__setitem__(4, MED(9)),
    '__delitem__': lambda it: it.__delitem__(1),
    '__ior__': lambda it: it.__ior__({4: MED(9)}),
    'clear': lambda it: it.clear(),
    'pop': lambda it: it.pop(1),
    'pop, default': lambda it: it.pop(1, None),
    'popitem': lambda it: it.popitem(),
    'setdefault': lambda it: it.setdefault(250, MED(9)),
    'update': lambda it: it.update({4: MED(9)}),
    'update by name': lambda it: it.update(four=MED(9)),
    'add': lambda it: it.add(NextHop('10.0.0.1')),
    'add extended communities': lambda it: it.add(EXTENDED),
    'remove': lambda it: it.remove(1),
    'set': lambda it: setattr(it, 'mine', 1),
    'vars': lambda it: setattr(it, 'cached', 1),
    'add in place': lambda it: it[16].add(EXTENDED.communities[0]),
    'change in place': lambda it: it[8].communities.append(it[8].communities[0]),
}


def test_nothing_of_a_dict_or_a_list_is_forgotten() -> None:
    assert set(dir(dict)) - READS <= CHANGES.keys()
    assert set(dir(list)) - READS <= vars(FrozenList).keys()


@pytest.mark.parametrize('name', CHANGES)
def test_a_change_is_refused(name: str) -> None:
    made = decoded(update(SETS['communities'] + SETS['extended communities'] + REACH), session()).attributes
    before = shown(made)
    if name == '__ior__' and sys.version_info < (3, 9):
        pytest.skip('a dict has none')
    with pytest.raises((TypeError, AttributeError), match='shared'):
        CHANGES[name](made)
    assert shown(made) == before


def test_lists_of_communities_refuse_all_that_changes_them() -> None:
    made = decoded(update(SETS['extended communities'] + REACH), session()).attributes
    communities = made[16].communities
    before = list(communities)
    for name in set(dir(list)) - READS:
        with pytest.raises(TypeError, match='shared'):
            getattr(communities, name)(0)
    assert communities == before


def test_what_changes_nothing_works() -> None:
    made = decoded(update(FULL + REACH), session()).attributes
    before = shown(made)
    assert made.watchdog() is None
    assert made.withdraw() is False
    assert made.pop(14, 'none') == 'none'
    assert made.setdefault(1) is made[1]
    with pytest.raises(KeyError):
        made.pop(14)
    with pytest.raises(KeyError):
        made.remove(14)
    made.add(None)
    made.add(MED(77))  # there is one
    assert made.copy() == dict(made)
    assert shown(made) == before


def test_exabgps_texts_are_made_once() -> None:
    made = decoded(update(FULL + REACH), session()).attributes
    again = decoded(update(FULL + REACH), session()).attributes
    for look in ('json', 'index', '__repr__'):
        assert getattr(made, look)() is getattr(again, look)()


@pytest.mark.skipif(not hasattr(Stock, 'as_dict'), reason='this ExaBGP has none')
def test_a_dict_that_is_handed_out_is_ones_own() -> None:
    made = decoded(update(FULL + REACH), session()).attributes
    before = copy.deepcopy(made.as_dict())
    handed = made.as_dict()
    for value in handed.values():
        if isinstance(value, (dict, list)):
            value.clear()
    handed.clear()
    assert made.as_dict() == before


def pickled(protocol: int) -> Callable[[Any], Any]:
    return lambda it: pickle.loads(pickle.dumps(it, protocol))


COPIES = {
    'copy': copy.copy,
    'deepcopy': copy.deepcopy,
    **{f'pickle {protocol}': pickled(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
}


@pytest.mark.parametrize('how', COPIES)
@pytest.mark.parametrize('looked', [False, True])
def test_a_copy_is_exabgps_own(how: str, looked: bool) -> None:
    body = update(FULL + REACH)
    made, expected = decoded(body, session()).attributes, stock(body, session()).attributes
    if looked:
        shown(made), shown(expected)
    theirs = COPIES['deepcopy' if how == 'copy' else how](expected)
    mine = COPIES[how](made)
    assert type(mine) is Stock
    assert vars(mine) == vars(Stock())
    assert shown(mine) == shown(theirs)
    theirs._idx = mine._idx = ''  # ExaBGP does not renew it
    before = shown(made)
    for each in (mine, theirs):
        each.add(copy.deepcopy(EXTENDED))
        each.remove(1)
        each[4] = MED(1)
        each.mine = 1
        for value in each.values():
            if isinstance(value, Communities):
                value.add(value.communities[0])
        each.pop(5)
    assert shown(mine) == shown(theirs) != before
    assert shown(made) == before


# What of ExaBGP changes a set: found by reading all of it for what CHANGES has.


def test_a_watchdog_leaves_a_set_alone() -> None:
    made = decoded(update(FULL + REACH), session())
    before = shown(made.attributes)
    rib = OutgoingRIB(True, session().families)
    assert rib.add_to_rib_watchdog(Change(made.nlris[0], made.attributes))
    assert shown(made.attributes) == before
    assert [change.attributes for change in rib.queued_changes()] == [made.attributes]


def test_the_adj_rib_out_leaves_a_set_alone() -> None:
    def sent(decode: Any) -> list[bytes]:
        negotiated = session()
        rib = OutgoingRIB(True, negotiated.families)
        messages: list[bytes] = []
        kept = []
        for shape in ('reach behind', 'classic', 'reach IPv6'):
            made = decode(SHAPES[shape](SETS['extended communities']), negotiated)
            kept.append((made, shown(made.attributes)))
            changes = [Change(nlri, made.attributes) for nlri in made.nlris]
            for act in (rib.add_to_rib, rib.add_to_resend, rib.del_from_rib, rib.add_to_rib):
                for change in changes:
                    act(change)
            rib.replace_restart(changes, changes[:1])
            rib.replace_reload(changes, changes[1:])
            rib.resend(False)
            for sending in rib.updates(True):
                messages += sending.messages(negotiated)
            rib.withdraw()
            for sending in rib.updates(False):
                messages += sending.messages(negotiated)
        for made, before in kept:
            assert shown(made.attributes) == before
        return messages

    assert sent(decoded) == sent(stock) != []


def test_next_hop_self_is_put_into_a_copy() -> None:
    from exabgp.bgp.message.update.attribute import NextHopSelf
    from exabgp.protocol.family import AFI
    from exabgp.protocol.ip import IPv4

    negotiated = session()
    negotiated.neighbor['local-address'] = IPv4.create('192.0.2.77')
    made = decoded(SHAPES['classic'](FULL), negotiated)
    before = shown(made.attributes)
    change = Change(made.nlris[0], made.attributes)
    change.nlri.nexthop = NextHopSelf(AFI.ipv4)
    resolved = negotiated.neighbor.remove_self(change)
    assert str(resolved.attributes[Attribute.CODE.NEXT_HOP]) == '192.0.2.77'
    assert shown(made.attributes) == before


def test_a_set_put_together_from_a_shared_one_does_not_change_it() -> None:
    made = decoded(update(SETS['extended communities'] + REACH), session()).attributes
    before = shown(made)
    mine = Stock()
    for value in made.values():
        mine.add(value)
    with pytest.raises(TypeError, match='shared'):
        mine.add(EXTENDED)
    assert shown(made) == before


# ----------------------------------------------------------------------------------------- weak


def test_a_set_goes_with_its_last_route() -> None:
    gc.collect()
    gc.disable()
    try:
        for shape in SHAPES.values():
            negotiated = session()
            routes = [
                Change(nlri, made.attributes) for made in [decoded(shape(FULL), negotiated)] * 2 for nlri in made.nlris
            ]
            again = decoded(shape(FULL), negotiated)
            shown(again.attributes), copy.deepcopy(again.attributes)
            assert len(Received._refs) == 1
            del routes, again
            # ExaBGP keeps the set of the UPDATE before, if that had no MP attributes
            forget(negotiated)
            assert not Received._refs
    finally:
        gc.enable()


def test_exabgp_keeps_one_set_a_session() -> None:
    negotiated = session()
    for number in range(5):
        decoded(update(attribute(0x80, 4, bytes([0, 0, 0, number])) + NEXT_HOP, PREFIX), negotiated)
        assert len(Received._refs) == (0 if hasattr(Stock, 'cached') else 1)  # we empty the cache of 5.0.1
    decoded(update(ORIGIN + REACH), negotiated)
    assert not Received._refs


@pytest.mark.skipif(hasattr(Stock, 'cached'), reason='ExaBGP keeps one set for all sessions, and we empty that')
def test_updates_behind_each_other_have_the_set_that_exabgp_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    shares_from_second(monkeypatch)
    mine = session()
    body, more = update(ORIGIN + NEXT_HOP, PREFIX), update(ORIGIN + NEXT_HOP + LOCAL_PREFERENCE, PREFIX)
    first, second = (decoded(body, mine).attributes for _ in '12')
    assert type(first) is Single and second is first
    # one whose attributes start with those of the one before
    assert type(decoded(more, mine).attributes) is Single
    third, other = decoded(body, mine).attributes, decoded(body, session()).attributes
    assert type(third) is Received and other is third
    assert decoded(body, mine).attributes is third
    del third, other
    mine.cached_attributes = None
    assert not Received._refs


def test_what_has_these_attributes_and_no_others() -> None:
    body = update(ORIGIN + NEXT_HOP, PREFIX)
    assert octets.only_has(body, ORIGIN + NEXT_HOP)
    more, withdrawn = update(ORIGIN + NEXT_HOP + EITHER_PATH, PREFIX), b'\0\2' + body[2:]
    for other in (more, withdrawn, body[:12], memoryview(body)):
        assert not octets.only_has(other, ORIGIN + NEXT_HOP)


def test_two_threads_that_decode_for_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second decodes and shares what ExaBGP then finds in its cache for the first."""
    mine, body, others = session(), update(ORIGIN + NEXT_HOP, PREFIX), []
    split = vars(Update)['split']

    def meanwhile(data: bytes) -> Any:
        monkeypatch.setattr(Update, 'split', split)
        others.append(decoded(body, mine))
        return Update.split(data)

    monkeypatch.setattr(Update, 'split', staticmethod(meanwhile))
    made = decoded(body, mine)
    assert others[0].attributes is made.attributes and type(made.attributes) is Received
    monkeypatch.undo()
    if hasattr(mine, 'cached_attributes'):
        mine.cached_attributes = None


def test_a_next_hop_of_exabgps_own_class_is_frozen_too() -> None:
    made = [decoded(update(ORIGIN + NEXT_HOP, PREFIX), session()) for _ in '123']
    for each in made:
        next_hop = each.nlris[0].nexthop
        assert next_hop is each.attributes[Attribute.CODE.NEXT_HOP] is made[0].nlris[0].nexthop
        with pytest.raises(AttributeError):
            next_hop.init('203.0.113.9')


@pytest.mark.parametrize('flags', [0x80, 0x90, 0xA0, 0xB0, 0x8F])
def test_flags_of_mp_attributes_that_exabgp_passes_over(flags: int) -> None:
    body = update(ORIGIN + NEXT_HOP + attribute(flags, 14, REACH[3:]), PREFIX)
    try:
        plain = stock(body, session())
    except Exception:
        return
    if len(plain.nlris) == 2 and max(plain.attributes) < 256:
        made = [decoded(body, session()).attributes for _ in '123']
        assert len(set(map(id, made))) == 1 and not any(REACH[3:] in key for key in Received._refs)


def test_refusals_leave_the_table_as_it_was() -> None:
    for shared in SETS.values():
        for trap in TRAPS.values():
            try:
                made = decoded(trap(shared), session())
            except Exception:
                made = None
            if made is not None and type(made.attributes) is not Received:
                assert not Received._refs
            del made


# -------------------------------------------------------------------------------------- switches


def test_install_switches_it() -> None:
    attributes.HOOKS.uninstall()
    exabgp_intern.install(attributes=False)
    assert not attributes.HOOKS.installed()
    exabgp_intern.install()
    assert attributes.HOOKS.installed()
    kept = decoded(update(FULL + REACH), session())
    exabgp_intern.uninstall()
    assert not attributes.HOOKS.installed()
    assert type(Update.unpack_message(update(FULL + REACH), Direction.IN, session()).attributes) is Stock
    assert type(kept.attributes) is Received


def test_another_shape_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    attributes.HOOKS.uninstall()
    with monkeypatch.context() as patched:
        # as in ExaBGP 4.2
        patched.setattr(Stock, 'unpack', classmethod(lambda cls, data, negotiated: None))
        assert not attributes.known()
        exabgp_intern.install()
        assert not attributes.HOOKS.installed()
        assert vars(Update)['unpack_message'].__func__ is STOCK_DECODER
    exabgp_intern.uninstall()
    assert attributes.known()
    attributes.HOOKS.install()


def test_stats_have_a_row() -> None:
    before = exabgp_intern.stats()['Attributes']
    kept = [decoded(update(FULL + REACH), session()) for _ in range(10)]
    now = exabgp_intern.stats()['Attributes']
    assert (now.alive, now.references, now.made, now.freed) == (1, 10, before.made + 1, before.freed)
    assert now.bytes_saved > 8 * 1000
    # the routes of one UPDATE share its set in ExaBGP too
    changes = [Change(None, kept[0].attributes) for _ in range(1000)]
    then = exabgp_intern.stats()['Attributes']
    assert then.references == 1010
    assert then.bytes_saved == now.bytes_saved
    del kept, changes
    assert exabgp_intern.stats()['Attributes'].alive == 0


# ---------------------------------------------------------------------------------------- faults


@pytest.fixture
def planted() -> Iterator[Callable[[str, str], None]]:
    """Put one line for another of the module, whose decoder is then in use."""

    def plant(line: str, fault: str) -> None:
        if line in inspect.getsource(octets.split):
            monkeypatch.setattr(attributes, 'split', with_a_fault(octets, line, fault).split)
            return
        faulty = with_a_fault(attributes, line, fault)
        attributes.HOOKS.uninstall()
        faulty.HOOKS.install()
        assert faulty.HOOKS.installed()
        faults.append(faulty)
        monkeypatch.setitem(globals(), 'Received', faulty.Received)

    faults: list[Any] = []
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield plant
    for faulty in faults:
        faulty.HOOKS.uninstall()


FAULTS = {
    'a key without asn4': ('agreed(negotiated)', 'agreed(negotiated) & 2'),
    'a key without AIGP': ('agreed(negotiated)', 'agreed(negotiated) & 1'),
    'errors shared': ('and own.keys().isdisjoint(ERRORS)', ''),
    'errors beside the routes passed over': ('and update.attributes.keys() <= {NEXT_HOP}', ''),
    'a key with routes in it': ('if not _may_have_mp_nlri(key):', 'if True:'),
    'an end that is not exact': ('if at != end or end > len(data)', 'if False'),
    'no next hop for the routes behind': ('elif code == NEXT_HOP and announced', 'elif False'),
    'a key that is sorted': ("b''.join(shared)", "bytes(sorted(b''.join(shared)))"),
    'an end of RIB taken for an UPDATE': ('type(update) is Update and update.attributes.keys() <= {NEXT_HOP}', 'True'),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_a_planted_fault_is_found(fault: str, planted: Callable[[str, str], None]) -> None:
    planted(*FAULTS[fault])
    assert differences(corpus(small=True))


def test_a_decoder_that_somebody_has_wrapped_is_not_installed_twice() -> None:
    from exabgp.bgp.message.update import Update

    attributes.HOOKS.uninstall()  # what the fixture of this file has installed
    stock = vars(Update)['unpack_message']
    attributes.HOOKS.install()
    ours = vars(Update)['unpack_message']
    wrapper = classmethod(lambda cls, *args: ours.__func__(cls, *args))
    Update.unpack_message = wrapper
    try:
        attributes.HOOKS.uninstall()
        attributes.HOOKS.install()
        assert vars(Update)['unpack_message'] is wrapper
        assert ours.__func__._stock is stock
    finally:
        Update.unpack_message = ours
        attributes.HOOKS.uninstall()
    assert vars(Update)['unpack_message'] is stock
    attributes.HOOKS.install()
    assert attributes.HOOKS.installed()
    attributes.HOOKS.uninstall()
    assert vars(Update)['unpack_message'] is stock


# ---------------------------------------------------------------------- a set that comes for the first time


def test_a_set_is_shared_from_its_second_sighting_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shares_from_second(monkeypatch)
    for shape in ('reach behind', 'classic'):
        first, second, third = (decoded(SHAPES[shape](FULL), session()).attributes for _ in range(3))
        assert type(first) is Single and type(second) is Received and second is third
        assert shown(first) == shown(second) == shown(stock(SHAPES[shape](FULL), session()).attributes)
        del first, second, third


def seen_of(decode: Callable[..., Any], shared: bytes) -> Any:
    return outcome(lambda: decode(update(shared + REACH), session()))


def test_a_set_of_one_update_is_as_exabgps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sightings, 'seen_before', lambda key: False)
    for shared in SETS.values():
        made, own = seen_of(decoded, shared), seen_of(stock, shared)
        if isinstance(made, tuple) or type(made.attributes) is not Single:
            continue
        made, own = made.attributes, own.attributes
        assert vars(made) == {} and vars(own)['cacheable'] is made.cacheable
        assert shown(made) == shown(own)
        for each in (copy.copy(made), copy.deepcopy(made)):
            assert type(each) is Stock and shown(each) == shown(own)
        pickled = outcome(lambda made=made: pickle.loads(pickle.dumps(made)))  # type: ignore[misc]
        assert isinstance(pickled, tuple) or type(pickled) is Stock and shown(pickled) == shown(own)
        for changed in (made, own):
            changed.add(NextHop('10.0.0.1'))
            changed.pop(1, None)
        assert shown(made) == shown(own)


def test_a_set_of_which_exabgp_keeps_more_stays_its_own() -> None:
    made = Stock()
    made.more = 1
    assert Single._of(made) is made
    assert type(Single._of(Stock())) is Single
