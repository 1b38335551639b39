"""ExaBGP 6: what routes share of attributes is as ExaBGP makes it, and goes with the routes.  See test_exabgp6.py."""

from __future__ import annotations

import copy
import gc
import pickle
from pathlib import Path
from random import Random
from struct import pack
from typing import Any, Callable, Iterator
from weakref import ref

import pytest

from tests.support import FROM_WIRE, outcome, shares_from_second, with_a_fault

if not FROM_WIRE:
    pytest.skip('for ExaBGP 6', allow_module_level=True)

from exabgp.bgp.message import Update
from exabgp.bgp.message.notification import Notify
from exabgp.bgp.message.update import UpdateCollection
from exabgp.bgp.message.update.attribute import Attribute, AttributeCollection
from exabgp.bgp.message.update.eor import EOR
from exabgp.bgp.message.update.nlri import NLRI
from exabgp.bgp.neighbor import Neighbor
from exabgp.configuration.configuration import Configuration
from exabgp.logger import log
from exabgp.logger.option import option
from exabgp.protocol.ip import IPv4
from exabgp.rib import RIB

import exabgp_intern
from exabgp_intern import lines
from exabgp_intern.attribute import octets, sightings
from exabgp_intern.attribute.frozen import CONSTANT, Frozen, FrozenList
from exabgp_intern.exabgp6 import announced, nexthops, parts, received
from exabgp_intern.exabgp6.announced import Announced
from exabgp_intern.exabgp6.received import Received
from exabgp_intern.exabgp6.sets import UNSHARED
from exabgp_intern.report.loading import negotiated_session
from tests.update_octets import (
    EITHER_PATH,
    KINDS,
    NEXT_HOP,
    ORIGIN,
    PREFIX,
    REACH,
    SETS,
    SHAPES,
    TRAPS,
    attribute,
    corpus,
    mutated,
    update,
)

MODULES = (received, announced, parts)
TABLES = (received.TABLE, announced.TABLE, parts.TABLE, nexthops.TABLE)
# without the one that ExaBGP discards, and the one that is not shared
FULL = SETS['all'].replace(KINDS['AIGP'], b'').replace(KINDS['link state'], b'')


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Share all that can be, what comes for the first time too."""
    monkeypatch.setattr(sightings, 'seen_before', lambda key: True)
    for module in MODULES:
        module.HOOKS.install()
        assert module.HOOKS.installed()
    yield
    for module in MODULES:
        module.HOOKS.uninstall()
    AttributeCollection.cached = None
    RIB._cache.clear()  # ExaBGP keeps the RIBs of neighbors that were there
    gc.collect()
    assert [len(table.data) for table in TABLES] == [0] * len(TABLES)


def session(asn4: bool = True, aigp: bool = False) -> Any:
    neighbor = Neighbor()
    neighbor.capability.aigp = type(neighbor.capability.aigp).from_bool(aigp)
    return negotiated_session(neighbor, NLRI.known_families(), [], asn4)


def sessions() -> list[Any]:
    return [session(asn4, aigp) for asn4 in (True, False) for aigp in (False, True)]


def decoded(body: bytes, negotiated: Any) -> Any:
    return Update.unpack_message(body, negotiated)


def stock(body: bytes, negotiated: Any) -> Any:
    """Decode with ExaBGP's own, as on a session that is alone.  What ExaBGP keeps is as before then."""
    hooks = [hook for module in MODULES if module.HOOKS.installed() for hook in module.HOOKS]
    ours = [vars(hook._owner)[hook._name] for hook in hooks]
    kept = AttributeCollection.previous, AttributeCollection.cached
    for hook in hooks:
        setattr(hook._owner, hook._name, hook.found()._stock)
    AttributeCollection.cached = None
    try:
        return Update.unpack_message(body, negotiated)
    finally:
        AttributeCollection.previous, AttributeCollection.cached = kept
        for hook, function in zip(hooks, ours):
            setattr(hook._owner, hook._name, function)


def seen(decode: Callable[[bytes, Any], Any], body: bytes, negotiated: Any, kept: Any = None) -> Any:
    """Return all that can be seen of the UPDATE that `decode` makes of `body`, or the exception; keep its set."""
    try:
        made = decode(body, negotiated)
    except Notify as raised:
        return type(raised), str(raised), raised.code, raised.subcode, raised.data
    except Exception as raised:
        return type(raised), str(raised)
    if isinstance(made, EOR):
        return type(made), str(made)
    parsed = made.data
    if kept is not None:
        kept.append(parsed.attributes)
    routes = [
        (
            type(nlri),
            str(next_hop),
            type(next_hop) is not type and next_hop.__class__,
            outcome(lambda nlri=nlri: nlri.json()),
            outcome(lambda nlri=nlri: str(nlri)),
            outcome(lambda nlri=nlri: bytes(nlri.pack_nlri(negotiated))),
            outcome(lambda nlri=nlri: bytes(nlri.index())),
        )
        for nlri, next_hop in [
            *((routed.nlri, routed.nexthop) for routed in parsed.announces),
            *((nlri, None) for nlri in parsed.withdraws),
        ]
    ]
    messages = outcome(lambda: list(parsed.messages(negotiated)))
    return type(made), type(parsed), routes, shown(parsed.attributes, negotiated), messages


def shown(attributes: Any, negotiated: Any) -> Any:
    """Return all that can be seen of a set, in its order."""
    return (
        bool(attributes),
        [(code, type(code), state(value)) for code, value in attributes.items()],
        *[
            outcome(look)
            for look in (
                attributes.json,
                lambda: attributes.json(True, True),
                attributes.__str__,
                attributes.index,
                lambda: attributes.pack_attribute(negotiated),
                lambda: attributes.pack_attribute(OTHER, False),
                lambda: hash(attributes),
                lambda: [(str(each), each.json(), each._comparable()) for each in attributes.values()],
            )
        ],
    )


def state(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return value.__class__, [state(each) for each in value]
    held = lines.attributes(value)
    if held and not isinstance(value, type):
        return value.__class__, {name: state(each) for name, each in held.items() if name != '_ls_attrs'}
    return value.__class__, repr(value)


OTHER = session(False)


def differences(bodies: Iterator[bytes]) -> list[bytes]:
    """Return the UPDATEs that a session decodes to another thing than ExaBGP alone.

    All are decoded three times on sessions of all kinds, in turn, while the sets of earlier ones live.
    """
    kept: list[Any] = []
    ours, found = sessions(), []
    for body in bodies:
        found += [
            body
            for _ in range(3)
            for mine, own in zip(ours, sessions())
            if seen(decoded, body, mine, kept) != seen(stock, body, own)
        ]
    return found


# ------------------------------------------------------------------------------------------- received


def test_every_update_comes_out_as_from_exabgp() -> None:
    assert not differences(corpus())


@pytest.mark.parametrize('seed', range(4))
def test_mutated_updates_come_out_as_from_exabgp(seed: int) -> None:
    random = Random(seed)
    bodies = [shape(shared) for shared in SETS.values() for shape in (*SHAPES.values(), *TRAPS.values())]
    assert not differences(mutated(random, random.choice(bodies)) for _ in range(300))


def test_a_set_is_one_object_for_all_updates_with_its_attributes() -> None:
    for shape in ('reach behind', 'reach before', 'classic', 'unreach', 'all fields'):
        first, second = (decoded(SHAPES[shape](FULL), session()).data for _ in '12')
        assert type(first.attributes) is Received and first.attributes is second.attributes
        for one, other in zip(first.announces, second.announces):
            assert one.nexthop is other.nexthop and isinstance(one.nexthop, IPv4)
    del first, second, one, other


def test_the_octets_of_one_session_do_not_decide_for_another() -> None:
    """ExaBGP keeps the set of the UPDATE before by its octets alone, for all sessions."""
    body = update(ORIGIN + EITHER_PATH + NEXT_HOP, PREFIX)
    four, two = session(True), session(False)
    for _ in range(3):
        assert '65538' in str(decoded(body, four).data.attributes)
        assert '65538' not in str(decoded(body, two).data.attributes)
        AttributeCollection.unpack(ORIGIN + EITHER_PATH + NEXT_HOP, four)  # as others call it
        assert '65538' not in str(decoded(body, two).data.attributes)


def test_exabgps_cache_holds_the_set_of_the_last_update() -> None:
    body = update(FULL + NEXT_HOP, PREFIX)
    for _ in range(3):
        made = decoded(body, session()).data.attributes
        assert AttributeCollection.cached is made
    outcome(lambda: decoded(update(FULL + NEXT_HOP, b'\x40\1'), session()))  # the prefix is cut
    one, two = session(True), session(False)
    for negotiated in (one, two, one):
        assert ('65538' in str(decoded(body, negotiated).data.attributes)) is (negotiated is one)
    AttributeCollection.cached = None  # somebody else decodes for the other session
    AttributeCollection.unpack(FULL + NEXT_HOP, two)
    assert '65538' in str(decoded(body, one).data.attributes)
    del made


@pytest.mark.parametrize('category', ['', 'routes', 'parser'])
def test_the_cached_set_for_an_update_that_withdraws_too(category: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shares_from_second(monkeypatch)
    body = update(SETS['metric'] + NEXT_HOP, PREFIX, b'\x08\x0c')
    expected = seen(stock, body, session())
    with monkeypatch.context() as changed:
        if category:
            changed.setitem(option.option, category, True)
            changed.setattr(option, 'log_enabled', lambda source, level: source == category)
        assert [seen(decoded, body, session()) for _ in range(4)] == [expected] * 4


def test_a_set_that_somebody_has_changed_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    shares_from_second(monkeypatch)
    octets = SETS['large communities'] + NEXT_HOP
    expected = sorted(stock(update(octets, PREFIX), session()).data.attributes)
    one, other = session(), session()
    mine = decoded(update(octets, PREFIX), one).data.attributes
    mine.pop(5)
    decoded(update(octets, PREFIX, b'\x08\x0c'), one)
    decoded(update(SETS['metric'] + NEXT_HOP, PREFIX), one)
    assert sorted(decoded(update(octets, PREFIX), other).data.attributes) == expected
    mine.pop(1)


@pytest.mark.parametrize('shape', SHAPES)
def test_exabgp_warns_of_its_own_address_as_a_next_hop(shape: str) -> None:
    body = SHAPES[shape](SETS['metric'])
    negotiated = session()
    negotiated.neighbor.session.local_address = IPv4(NEXT_HOP[3:])
    told: list[str] = []
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(log, 'warning', lambda message, source: told.append(message()))
        stock(body, negotiated)
        expected, told[:] = told[:], []
        kept = [decoded(body, negotiated) for _ in range(3)]
    assert len(expected) == (NEXT_HOP in body) and told == 3 * expected
    del kept


def test_a_first_sighting_is_exabgps_own(monkeypatch: pytest.MonkeyPatch) -> None:
    known = shares_from_second(monkeypatch)
    for shape in ('reach behind', 'classic'):
        body = SHAPES[shape](SETS['metric'])
        first, other, second, another, third, last = (
            decoded(each, session()).data.attributes for each in (body, update(ORIGIN + NEXT_HOP, PREFIX)) * 3
        )
        assert type(first) is AttributeCollection and type(second) is Received and second is third
        assert other is not another
        known.clear()
        del first, second, third, other, another, last


def test_updates_behind_each_other_have_one_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """As ExaBGP has it, but only if their sessions have agreed on the same."""
    monkeypatch.setattr(sightings, 'seen_before', lambda key: False)
    body = update(ORIGIN + EITHER_PATH + NEXT_HOP, PREFIX)
    first, second, third, fourth = (decoded(body, session(asn4)).data.attributes for asn4 in (True, True, False, False))
    assert first is second is not third is fourth
    assert str(first) != str(third)
    watch = ref(third)
    del third, fourth
    decoded(body, session())
    assert watch() is None  # it goes with its last route and with ExaBGP's cache
    assert decoded(update(ORIGIN + REACH), session()).data.attributes is not (
        decoded(update(ORIGIN + REACH), session()).data.attributes
    )


@pytest.mark.parametrize('name', ['link state', 'wrong flags', 'metric too short', 'aggregator cut'])
def test_what_cannot_be_shared_is_exabgps_own(name: str) -> None:
    made = decoded(update(SETS[name] + REACH), session()).data.attributes
    assert type(made) is AttributeCollection and not UNSHARED.isdisjoint(made)


@pytest.mark.parametrize('category', ['parser', 'routes'])
def test_the_debug_log_tells_all_attributes(category: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = update(FULL + REACH)
    kept = decoded(body, session())
    told: list[Any] = []
    unpack = vars(Attribute)['unpack'].__func__
    monkeypatch.setattr(Attribute, 'unpack', classmethod(lambda *args: (told.append(args[1]), unpack(*args))[1]))
    decoded(body, session())
    quiet, told[:] = len(told), []
    monkeypatch.setattr(option, 'log_enabled', classmethod(lambda cls, source, level: source == category))
    decoded(body, session())
    assert quiet == 0 and len(told) > 10
    del kept


# --------------------------------------------------------------------------------------------- frozen


def inside(value: Any) -> Iterator[Any]:
    yield value
    nested = value if isinstance(value, list) else lines.attributes(value).values()
    for each in nested if not isinstance(value, CONSTANT) else ():
        yield from inside(each)


@pytest.mark.parametrize('name', KINDS)
def test_a_shared_set_cannot_be_changed(name: str) -> None:
    negotiated = session(aigp=True)
    made = outcome(lambda: decoded(update(SETS[name] + REACH), negotiated).data.attributes)
    if not isinstance(made, Received):
        return
    before = shown(made, negotiated)
    for change in (
        lambda: made.update({1: made[1]}),
        lambda: made.pop(1),
        made.clear,
        made.popitem,
        lambda: made.setdefault(77, made[1]),
        lambda: made.remove(1),
        lambda: made.__setitem__(1, made[1]),
        lambda: made.__delitem__(1),
        lambda: setattr(made, '_data', {}),
        lambda: setattr(made, 'cacheable', False),
    ):
        with pytest.raises((TypeError, AttributeError)):
            change()
    assert made.pop(77, None) is None and made.setdefault(1) is made[1]
    assert not made.watchdog() and made.withdraw() is False
    for value in (part for each in made.values() for part in inside(each)):
        if isinstance(value, CONSTANT):
            continue
        assert isinstance(value, Frozen)
        for name in [] if isinstance(value, FrozenList) else [*lines.attributes(value), 'FLAG', 'other']:
            with pytest.raises((AttributeError, TypeError)):
                setattr(value, name, 0)
    assert shown(made, negotiated) == before


def test_communities_are_not_added_to_shared_ones() -> None:
    made = decoded(update(SETS['extended communities'] + REACH), session()).data.attributes
    other = decoded(update(SETS['two lots of extended communities'] + REACH), session()).data.attributes
    before = shown(made, OTHER)
    with pytest.raises((AttributeError, TypeError)):
        made.add(other[16])
    assert shown(made, OTHER) == before


@pytest.mark.parametrize('how', [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_a_copy_is_exabgps_own(how: Callable[[Any], Any]) -> None:
    body = update(FULL + REACH)
    made, own = (decode(body, session()).data for decode in (decoded, stock))
    copied = how(made.attributes)
    assert type(copied) is AttributeCollection and shown(copied, OTHER) == shown(own.attributes, OTHER)
    for value in (part for each in copied.values() for part in inside(each)):
        assert not isinstance(value, Frozen) or isinstance(value, CONSTANT)
    copied.add(decoded(update(SETS['two lots of extended communities'] + REACH), session()).data.attributes[16])
    assert shown(made.attributes, OTHER) == shown(own.attributes, OTHER)
    next_hop = how(made.announces[0].nexthop)
    assert type(next_hop) is IPv4 and next_hop == own.announces[0].nexthop


# ------------------------------------------------------------------------------------------ announced

CONFIGURATION = """
template {{
    neighbor common {{
        local-as 65000; peer-as 65001; router-id 192.0.2.9; hold-time 180;
        family {{ ipv4 unicast; ipv4 mpls-vpn; ipv4 flow; ipv6 unicast; }}
        static {{
            route 10.0.0.0/24 next-hop self med 5 community [ 65000:1 ];
            route 10.0.1.0/24 next-hop 192.0.2.7 med 5 community [ 65000:1 ] extended-community [ target:1:2 ];
            route 10.0.2.0/24 next-hop 192.0.2.7 med 5 community [ 65000:1 ] extended-community [ target:1:2 ];
            route 10.0.3.0/24 {{ next-hop 192.0.2.7; med 5; as-path [ 1 2 ]; }}
            route 10.0.4.0/24 {{ next-hop 192.0.2.7; med 5; as-path [ 1 2 ]; }}
            route 10.1.0.0/22 next-hop 192.0.2.7 split /24 med 5;
            route 10.2.0.0/24 next-hop 192.0.2.7 med 5 watchdog dog withdraw;
            route 10.2.1.0/24 next-hop 192.0.2.7 med 5 watchdog dog;
            route 10.3.0.0/24 next-hop 192.0.2.7 label 100 rd 1:2 attribute [ 0x19 0xc0 0x01020304 ];
            route 2001:db8::/32 next-hop 2001:db8::1 large-community [ 1:2:3 ];
            attributes next-hop 192.0.2.7 med 7 nlri 10.4.0.0/24 10.4.1.0/24;
        }}
        flow {{ route one {{ match {{ source 10.0.0.1/32; }} then {{ rate-limit 9600; }} }} }}
    }}
}}
neighbor 192.0.2.1 {{ inherit common; local-address 192.0.2.2; }}
neighbor 192.0.2.3 {{ inherit common; local-address 192.0.2.4; {} }}
"""
MORE = 'static { route 10.9.0.0/24 next-hop self med 9; route 10.0.1.0/24 next-hop 192.0.2.7 med 6; }'


def sent(path: Path, *texts: str) -> list[Any]:
    """Return all that the neighbors of a configuration hold and would send, for each text that it has in turn."""
    RIB._cache.clear()
    configuration, out = Configuration([str(path)]), []
    for text in texts:
        path.write_text(text)
        assert configuration.reload() is True, configuration.error
        for name, neighbor in configuration.neighbors.items():
            rib = neighbor.rib.outgoing
            negotiated = negotiated_session(neighbor, neighbor.families(), [], True)
            out.append((name, [route.extensive() for route in neighbor.routes]))
            out.append([(route.index(), route.extensive(), str(route.nexthop)) for route in rib.queued_routes()])
            out.append([bytes(message) for each in rib.updates(True) for message in each.messages(negotiated)])
            rib.announce_watchdog('dog')
            out.append([bytes(message) for each in rib.updates(False) for message in each.messages(negotiated)])
            rib.withdraw_watchdog('dog')
            rib.resend(False)
            out.append([bytes(message) for each in rib.updates(False) for message in each.messages(negotiated)])
            out.append([(route.index(), route.extensive(), str(route.attributes)) for route in rib.cached_routes()])
    return out


def test_configured_routes_are_announced_as_without(tmp_path: Path) -> None:
    texts = [CONFIGURATION.format(more) for more in ('', MORE, '', MORE)]
    ours = sent(tmp_path / 'conf', *texts)
    for module in MODULES:
        module.HOOKS.uninstall()
    assert ours == sent(tmp_path / 'conf', *texts)


def test_configured_routes_share_sets_and_next_hops(tmp_path: Path) -> None:
    path = tmp_path / 'conf'
    path.write_text(CONFIGURATION.format(''))
    configuration = Configuration([str(path)])
    assert configuration.reload() is True
    held: dict[str, Any] = {}
    for neighbor in configuration.neighbors.values():
        for route in neighbor.rib.outgoing.queued_routes():
            held.setdefault(str(route.nlri).split()[0], []).append(route)
    one, two = held['10.0.1.0/24'][0], held['10.0.2.0/24'][1]
    assert type(one.attributes) is Announced and one.attributes is two.attributes and one.nexthop is two.nexthop
    assert held['10.0.3.0/24'][0].attributes is held['10.0.4.0/24'][0].attributes
    assert held['10.4.0.0/24'][0].attributes is held['10.4.1.0/24'][0].attributes
    assert held['10.0.0.0/24'][0].attributes is not held['10.0.0.0/24'][1].attributes  # next-hop self
    del configuration, neighbor, held, one, two, route


# ---------------------------------------------------------------------------------------- installation


def test_install_and_statistics() -> None:
    for module in MODULES:
        module.HOOKS.uninstall()
    assert set(exabgp_intern.installation.sets()) == {'Attributes', 'Announced', 'PathAttributes'}
    exabgp_intern.install(attributes=False, announced=False)
    try:
        assert parts.HOOKS.installed() and not received.HOOKS.installed() and not announced.HOOKS.installed()
        exabgp_intern.install()
        before = exabgp_intern.stats()
        kept = [decoded(update(SETS['metric'] + REACH), session()).data for _ in range(10)]
        after = exabgp_intern.stats()
        assert after['Attributes'].made - before['Attributes'].made == 1
        assert after['Attributes'].alive == 1 and after['Attributes'].references == 10
        assert after['PathAttributes'].alive > 1
        del kept
        assert exabgp_intern.stats()['Attributes'].alive == 0
    finally:
        exabgp_intern.uninstall()
    for module in MODULES:
        assert not module.HOOKS.installed()
        module.HOOKS.install()


@pytest.mark.parametrize(
    'module, owner, name',
    [
        (received, UpdateCollection, '_parse_payload'),
        (parts, Attribute, 'unpack'),
        (announced, Neighbor, 'resolve_self'),
    ],
)
def test_another_shape_is_left_alone(module: Any, owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.known()
    module.HOOKS.uninstall()
    with monkeypatch.context() as changed:
        changed.setattr(owner, name, classmethod(lambda cls, other: None))
        assert not module.known()
    module.HOOKS.install()


# --------------------------------------------------------------------------------------------- faults

FAULTS = {
    'a key without asn4': (octets, 'return 3 if aigp else 1', 'return 2 if aigp else 0'),
    'a key without AIGP': (octets, 'return 2 if aigp else 0', 'return 0'),
    'an end that is not exact': (octets, 'if at != end or end > len(data)', 'if False'),
    'errors shared': (received, 'UNSHARED.isdisjoint(own._data)', 'True'),
    'more than routes': (received, 'and update.attributes._data.keys() <= {NEXT_HOP}', ''),
    'flags passed over': (received, 'if body[4] == 0x80 and 7', 'if 7'),
    'next hops by nothing': (received, 'if own._packed != octets:', 'if shared is None:'),
    'a part without its code': (parts, 'attribute_id, flag | EXTENDED', '0, flag | EXTENDED'),
    'a part without asn4': (parts, 'else agreed(negotiated)', 'else 0'),
}


@pytest.mark.parametrize(
    'line, instead, check',
    [
        (
            'session != before[0]',
            'False',
            test_the_octets_of_one_session_do_not_decide_for_another,
        ),
        (
            'octets is not before[1]',
            'False',
            test_exabgps_cache_holds_the_set_of_the_last_update,
        ),
        (
            '== next_hop._packed',
            'is next_hop',
            lambda: test_exabgp_warns_of_its_own_address_as_a_next_hop('next hop for nobody'),
        ),
    ],
)
def test_a_fault_that_another_test_finds(
    line: str, instead: str, check: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = with_a_fault(received, line, instead)
    received.HOOKS.uninstall()
    monkeypatch.setattr(received, 'HOOKS', faulty.HOOKS)
    faulty.HOOKS.install()
    with pytest.raises(AssertionError):
        check()
    faulty.HOOKS.uninstall()
    monkeypatch.undo()
    received.HOOKS.install()


@pytest.mark.parametrize('fault', FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, line, instead = FAULTS[fault]
    faulty = with_a_fault(module, line, instead)
    if module is octets:
        monkeypatch.setattr(received, 'split', faulty.split)
        monkeypatch.setattr(received, 'agreed', faulty.agreed)
        monkeypatch.setattr(parts, 'agreed', faulty.agreed)
    else:
        module.HOOKS.uninstall()
        monkeypatch.setattr(module, 'HOOKS', faulty.HOOKS)
        faulty.HOOKS.install()
    two_next_hops = update(ORIGIN + REACH + NEXT_HOP, PREFIX)
    short = REACH[:1] + b'\x0e' + REACH[2:]
    bad_flags = update(ORIGIN + b'\x40' + short[1:])
    metrics = [update(attribute(0x80, 4, pack('!L', 5)) + attribute(0x80, 9, pack('!L', 5)) + REACH)]
    try:
        assert differences(iter([*corpus(small=True), two_next_hops, bad_flags, *metrics]))
    finally:
        if module is not octets:
            faulty.HOOKS.uninstall()
        monkeypatch.undo()
        for each in MODULES:
            each.HOOKS.install()
