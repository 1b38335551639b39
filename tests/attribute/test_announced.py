"""Routes of the configuration and the API whose attribute sets are shared, side by side with stock ExaBGP's."""

from __future__ import annotations

import copy
import functools
import gc
import pickle
import sys
import types
from collections import Counter, deque
from contextlib import contextmanager
from typing import Any, Callable, Iterable, Iterator

import pytest
from exabgp.bgp.fsm import FSM
from exabgp.bgp.message.update.attribute import MED, ExtendedCommunities
from exabgp.bgp.message.update.attribute import Attributes as Stock
from exabgp.bgp.message.update.attribute.community import Communities
from exabgp.bgp.message.update.nlri import CIDR, NLRI
from exabgp.bgp.neighbor import Neighbor
from exabgp.configuration.configuration import Configuration
from exabgp.configuration.core.scope import Scope
from exabgp.rib import RIB
from exabgp.rib import outgoing as outgoing_module
from exabgp.rib.change import Change
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import exabgp_intern
from exabgp_intern.attribute import announced
from exabgp_intern.attribute.announced import Announced
from exabgp_intern.installation import installed, sets
from exabgp_intern.report.commands import obey, reactor
from exabgp_intern.report.loading import negotiated_session
from tests.support import NO_HOOKS, outcome, with_a_fault

if 'Announced' not in sets():
    pytest.skip('ExaBGP keeps announced routes otherwise before 4.2.22', allow_module_level=True)

MARKS = tuple(Stock.INTERNAL)
EXABGP_5 = 'deepcopy' in vars(outgoing_module)  # 4.2 withdraws the very route that it is given
STOCK_REMOVE_SELF = Neighbor.remove_self
Operation = tuple  # its name, and its arguments


# ------------------------------------------------------------------------------------ one daemon


class Daemon:
    """All of an ExaBGP but its sockets and its child processes: reactor, API, configuration, peers, RIBs."""

    def __init__(self) -> None:
        RIB._cache.clear()
        self.configuration = Configuration([''], True)
        self.reactor = reactor(self.configuration)
        self.told: list[str] = []
        for name in ('log_message', 'log_failure'):  # which tell the route
            setattr(self.reactor.api, name, lambda message, level='': self.told.append(message))

    def do(self, operation: Operation) -> Any:
        """Return what the operation returns or raises, and what is logged meanwhile."""
        name, *arguments = operation
        self.told.clear()
        result = outcome(lambda: getattr(self, name)(*arguments))
        return result, list(self.told)

    def peer(self, number: int) -> Any:
        peers = list(self.reactor._peers.values())
        return peers[number % len(peers)] if peers else None

    # What the operations are.  Those with a number are for one of the peers.

    def load(self, text: str) -> Any:
        """Load the configuration `text`, or another one in place of the last, and give each peer a turn."""
        self.configuration._configurations[:] = [text]
        result = getattr(self.reactor, 'reload', getattr(self.reactor, 'load', None))()
        error = str(self.configuration.error)
        for name, peer in list(self.reactor._peers.items()):
            if not peer._restart:
                del self.reactor._peers[name]  # it was removed
            else:
                self.turn(peer)
        return result, error

    def turn(self, peer: Any) -> None:
        """Do what the main loop of a peer does after a change of the configuration."""
        if peer._teardown:
            peer._reset()
            return
        if peer.fsm != FSM.ESTABLISHED:
            return
        if EXABGP_5 and peer._neighbor:
            peer.neighbor.rib.outgoing.replace_reload(peer._neighbor.previous.changes, peer._neighbor.changes)
            peer._neighbor.previous = None
            peer._neighbor = None
        if not EXABGP_5 and peer._resend_routes:
            peer._resend_routes = False
            peer.neighbor.rib.outgoing.resend([], False)

    def up(self, number: int) -> None:
        """Do what a peer does when its session is established."""
        peer = self.peer(number)
        if peer and peer.fsm != FSM.ESTABLISHED:
            peer.fsm.change(FSM.ESTABLISHED)
            if EXABGP_5:
                previous = peer.neighbor.previous.changes if peer.neighbor.previous else []
                peer.neighbor.rib.outgoing.replace_restart(previous, peer.neighbor.changes)
                peer.neighbor.previous = None
            self.turn(peer)

    def down(self, number: int) -> None:
        if self.peer(number):
            self.peer(number)._reset()

    def command(self, text: str) -> bool:
        accepted = obey(self.reactor, text, True)
        for peer in self.reactor._peers.values():
            self.turn(peer)  # 4.2 flushes here
        return accepted

    def send(self, number: int) -> Any:
        return messages(self.peer(number).neighbor) if self.peer(number) else None

    def refresh(self, number: int, enhanced: bool) -> None:
        if self.peer(number):
            rib = self.peer(number).neighbor.rib.outgoing
            rib.resend(enhanced) if EXABGP_5 else rib.resend(None, enhanced)

    def withdraw(self, number: int) -> None:
        if self.peer(number):
            rib = self.peer(number).neighbor.rib.outgoing
            rib.withdraw() if EXABGP_5 else rib.withdraw(None, False)

    def delete(self, number: int) -> None:
        """Withdraw the routes of the configuration one by one, as a plugin may."""
        if self.peer(number):
            for change in self.peer(number).neighbor.changes:
                one = self.peer(number).neighbor
                # 4.2 withdraws the very route that it is given
                one.rib.outgoing.del_from_rib(change if EXABGP_5 else one.remove_self(change))

    def clear(self, number: int) -> None:
        if self.peer(number):
            self.peer(number).neighbor.rib.outgoing.clear()

    def copied(self) -> Any:
        """Return what a deep copy of the neighbors has, as ExaBGP's checks make one."""
        return [neighbor_seen(neighbor) for neighbor in copy.deepcopy(self.configuration.neighbors).values()]

    def seen(self) -> Any:
        return [(name, neighbor_seen(neighbor)) for name, neighbor in self.configuration.neighbors.items()]

    def end(self) -> None:
        self.configuration.neighbors.clear()
        self.reactor._peers.clear()
        RIB._cache.clear()


def messages(neighbor: Any) -> list[Any]:
    """Return the octets of all that waits to be sent, which is then sent."""
    negotiated = negotiated_session(neighbor, neighbor.families(), neighbor.addpaths(), True)
    sent: list[Any] = []
    grouped = neighbor['group-updates'] if isinstance(neighbor, dict) else neighbor.group_updates
    updates = neighbor.rib.outgoing.updates(grouped)
    while True:
        update = outcome(lambda: next(updates, None))
        if update is None or isinstance(update, tuple):
            return [*sent, update]
        sent.append(outcome(lambda update=update: [bytes(each) for each in update.messages(negotiated)]))


def waiting(neighbor: Any) -> list[Any]:
    """Return the octets of all that waits to be sent, which goes on waiting."""
    held = vars(neighbor.rib.outgoing)
    before = dict(held)
    held.update({name: own_containers(value) for name, value in before.items()})
    try:
        return messages(neighbor)
    finally:
        held.update(before)


def own_containers(value: Any) -> Any:
    if type(value) is dict:
        return {key: own_containers(each) for key, each in value.items()}
    return type(value)(value) if type(value) in (list, set, deque) else value


def route_seen(change: Any) -> list[Any]:
    """Return all that can be seen of a route but the marks that ExaBGP takes out when it is in the RIB."""
    nlri, attributes = change.nlri, change.attributes
    return [
        outcome(look)
        for look in (
            change.extensive,
            change.index,
            change.feedback,
            nlri.json,
            nlri.index,
            lambda: int(nlri.action),
            lambda: (str(nlri.nexthop), nlri.nexthop.index(), nlri.nexthop.SELF),
            lambda: change.as_dict() if EXABGP_5 else None,
            attributes.json,
            attributes.index,
            lambda: [(code, str(value)) for code, value in attributes.items() if code not in MARKS],
        )
    ]


def marks_of(change: Any) -> list[Any]:
    """Return the marks of a route of the configuration, which 4.2 takes out of this one too."""
    return (
        []
        if not EXABGP_5
        else [
            (code, type(each).__name__, str(each) if isinstance(each, (int, str)) else '')
            for code, each in change.attributes.items()
            if code in MARKS
        ]
    )


def neighbor_seen(neighbor: Any) -> Any:
    rib = neighbor.rib.outgoing
    previous = neighbor.previous.changes if getattr(neighbor, 'previous', None) else []
    return {
        'routes': [(route_seen(change), marks_of(change)) for change in neighbor.changes],
        'routes of before': [(route_seen(change), marks_of(change)) for change in previous],
        'queued': [(index, route_seen(change)) for index, change in rib._new_nlri.items()],
        'by attributes': [
            (index, family, list(map(route_seen, changes.values())), str(rib._new_attribute[index]))
            for index, families in rib._new_attr_af_nlri.items()
            for family, changes in families.items()
            if index in rib._new_attribute  # not if a route was withdrawn before it was sent
        ],
        'sent': [(family, list(map(route_seen, changes.values()))) for family, changes in rib._seen.items()],
        'cached': list(map(route_seen, rib.cached_changes())),
        'again': list(map(route_seen, getattr(rib, '_refresh_changes', ()))),
        'watchdogs': [
            (name, sign, index, route_seen(change))
            for name, signs in rib._watchdog.items()
            for sign, changes in signs.items()
            for index, change in changes.items()
        ],
        'pending': rib.pending(),
        'octets': waiting(neighbor),
    }


def played(operations: Iterable[Operation], look: bool = True) -> list[Any]:
    """Return what each of the operations returns, and what can be seen then, of a daemon of its own."""
    daemon = Daemon()
    found = []
    for operation in operations:
        found.append((operation, daemon.do(operation)))
        if look:
            found.append(daemon.seen())
    found.append(daemon.seen())
    daemon.end()
    return found


@contextmanager
def interned() -> Iterator[None]:
    exabgp_intern.install()
    assert announced.HOOKS.installed()
    try:
        yield
    finally:
        exabgp_intern.uninstall()
        assert Neighbor.remove_self is STOCK_REMOVE_SELF


def differences(operations: Iterable[Operation], look: bool = True, under: Any = interned) -> list[Any]:
    """Return where an interned daemon differs from a stock one: stock and interned, of the first step that differs."""
    operations = list(operations)
    theirs = played(operations, look)
    with under():
        ours = played(operations, look)
    assert len(ours) == len(theirs)
    return next(([own, mine] for own, mine in zip(theirs, ours) if own != mine), [])


# --------------------------------------------------------------------------------- configurations


PREFIXES = ('10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/23', '10.0.3.7/32')
NEXT_HOPS = ('192.0.2.9', '192.0.2.10', 'self')
ATTRIBUTES = (
    'med 5',
    'origin egp',
    'as-path [ 65001 65002 ]',
    'community [ 65000:1 65000:2 ]',
    'extended-community [ target:65000:1 ]',
    'large-community [ 1:2:3 ]',
    'local-preference 200',
    'atomic-aggregate',
    'aggregator ( 65000:10.0.0.9 )',
    'originator-id 10.0.0.9',
    'cluster-list [ 10.0.0.1 ]',
    'aigp 10',
    'attribute [ 0x04 0x80 0x00000005 ]',
    'attribute [ 0x63 0xc0 0x00000005 ]',
    'name one',
    'name two',
    'watchdog dog',
    'watchdog cat',
    'watchdog dog withdraw',
    'withdraw',
    'split /25',
    'split /26',
)
FAMILIES = 'ipv4 unicast; ipv6 unicast; ipv4 nlri-mpls; ipv4 mpls-vpn; ipv4 flow; ipv4 flow-vpn; l2vpn vpls;'
LATE_FLOW = ('community [ 65000:1 ];', 'rate-limit 9600;', 'protocol udp;', 'extended-community [ target:65000:9 ];')
LATE_VPLS = ('med 7;', 'community [ 65000:1 ];', 'next-hop 192.0.2.77;', 'extended-community [ target:65000:9 ];')


def one_line(prefix: str, next_hop: str, attributes: Iterable[str], qualifiers: str = '') -> str:
    return ' '.join(['route', prefix, 'next-hop', next_hop, qualifiers, *attributes]) + ';'


def block(prefix: str, next_hop: str, attributes: Iterable[str], qualifiers: str = '') -> str:
    parts = '; '.join([f'next-hop {next_hop}', *attributes, *filter(None, [qualifiers])])
    return f'route {prefix} {{ {parts.replace(" label", "; label").replace(" withdraw", "; withdraw")}; }}'


def many(next_hop: str, attributes: Iterable[str], *prefixes: str) -> str:
    return ' '.join(['attributes', 'next-hop', next_hop, *attributes, 'nlri', *prefixes]) + ';'


def static(*routes: str) -> str:
    return f'static {{ {" ".join(routes)} }}'


def announce(*routes: str) -> str:
    return f'announce {{ ipv4 {{ {" ".join(routes)} }} }}'


def flow_block(name: str, match: str, then: str) -> str:
    return f'route {name} {{ match {{ {match} }} then {{ {then} }} }}'


def vpls_block(name: str, endpoint: int, next_hop: str, attributes: Iterable[str] = ()) -> str:
    parts = [f'endpoint {endpoint}', 'base 702', 'offset 1', 'size 8', 'rd 65000:1', f'next-hop {next_hop}']
    return f'vpls {name} {{ {"; ".join([*parts, *attributes])}; }}'


def vpls_line(endpoint: int, next_hop: str, attributes: Iterable[str] = ()) -> str:
    parts = [f'vpls endpoint {endpoint} base 702 offset 1 size 8 rd 65000:1', f'next-hop {next_hop}', *attributes]
    return ' '.join(parts) + ';'


def neighbor(number: int, *sections: str, options: str = '') -> str:
    """Return the section of a neighbor: 4 is one over IPv6."""
    remote, local = ('2001:db8::11', '2001:db8::1') if number == 4 else (f'192.0.2.{10 * number}', f'192.0.2.{number}')
    return (
        f'neighbor {remote} {{ router-id 192.0.2.1{number}; local-address {local}; local-as 65000; peer-as 65001;'
        f' {options} {" ".join(sections)} }}\n'
    )


def template(name: str, *sections: str) -> str:
    return f'template {{ neighbor {name} {{ {" ".join(sections)} }} }}\n'


CACHE = 'adj-rib-out true;'

PLAIN = ('med 5', 'community [ 65000:1 65000:2 ]', 'extended-community [ target:65000:1 ]')
MULTI = f'family {{ {FAMILIES} }} capability {{ multi-session true; }}'
ADD_PATH = f'{CACHE} capability {{ add-path send/receive; }}'
ROUTES = (
    one_line('10.0.0.0/24', '192.0.2.9', PLAIN),
    one_line('10.0.1.0/24', '192.0.2.9', PLAIN),
    block('10.0.2.0/24', '192.0.2.9', PLAIN),
    block('10.0.3.0/24', '192.0.2.9', PLAIN[:1], 'rd 65000:1 label 100'),
    one_line('10.0.4.0/24', '192.0.2.9', PLAIN[:1], 'rd 65000:1 label 100'),
    one_line('10.0.5.0/24', '192.0.2.9', PLAIN[:1], 'label [ 100 ]'),
    one_line('10.0.6.0/24', '192.0.2.9', (), 'path-information 1.2.3.4'),
    one_line('2001:db8:1::/48', '2001:db8::9', PLAIN[:1]),
)
SELF = tuple(route.replace('next-hop 192.0.2.9', 'next-hop self') for route in ROUTES[:6])
DOGS = tuple(
    one_line(f'10.1.{number}.0/24', '192.0.2.9', ('med 5', mark))
    for number, mark in enumerate(('watchdog dog', 'watchdog dog withdraw', 'watchdog cat', 'withdraw', 'name one'))
) + (block('10.1.9.0/24', 'self', ('watchdog dog withdraw',)),)
FLOWS = (
    flow_block('one', 'destination 10.0.0.1/32;', 'discard;'),
    flow_block('two', 'destination 10.0.0.2/32; protocol tcp;', 'discard;'),
    'route match destination 10.0.0.3/32 then discard;'.replace(' match', '').replace(' then', ''),
    flow_block('four', 'source 10.0.0.4/32;', 'redirect 65000:1;'),
)
VPLS = (
    vpls_block('one', 3, '192.0.2.9', ('med 5',)),
    vpls_block('two', 4, '192.0.2.10', ('med 5',)),
    vpls_block('three', 5, '192.0.2.9', ('med 6', 'community [ 65000:1 ]')),
    vpls_line(6, '192.0.2.9', ('med 5',)),
)
SPLIT = (
    one_line('10.2.0.0/23', '192.0.2.9', ('med 5', 'split /25')),
    one_line('10.3.0.0/23', 'self', ('med 5', 'split /24')),
    block('10.4.0.0/23', '192.0.2.9', ('med 5', 'split /25')),
    block('10.5.0.0/23', 'self', ('med 5', 'split /25')),
)
ANNOUNCED = announce(
    'unicast 10.6.0.0/24 next-hop 192.0.2.9 med 5;',
    'unicast 10.6.1.0/24 next-hop self med 5 community [ 65000:1 65000:2 ];',
    'unicast 10.6.2.0/23 next-hop 192.0.2.9 med 5 split /25;',
    'mpls-vpn 10.6.4.0/24 next-hop 192.0.2.9 rd 65000:1 label 100 med 5;',
    'nlri-mpls 10.6.5.0/24 next-hop 192.0.2.9 label 100 med 5;',
    'flow destination 10.6.6.6/32 discard;',
)


def both(*sections: str, options: str = CACHE) -> str:
    return ''.join(neighbor(number, *sections, options=options) for number in (1, 2))


def session(*texts: str) -> list[Operation]:
    """Return operations that load the configurations in turn, with a session that comes and goes."""
    operations: list[Operation] = []
    for text in texts:
        operations += [('load', text), ('up', 0), ('send', 0)]
    return [*operations, ('down', 0), ('up', 0), ('send', 0), ('refresh', 0, True), ('send', 0), ('send', 1)]


def commands(*texts: str) -> list[Operation]:
    return [(('command', text)) for text in texts]


SEQUENCES: dict[str, list[Operation]] = {
    'routes': session(both(static(*ROUTES)), both(static(*ROUTES[2:])), both(static(*ROUTES[:3])), both()),
    'withdrawn by one': [('load', both(static(*ROUTES[:2]))), ('send', 0), ('withdraw', 0), ('send', 0), ('send', 1)],
    'next hop self': [
        *session(both(static(*SELF, *ROUTES)), both(static(*SELF[1:], ROUTES[0]))),
        *commands(f'announce {SELF[0][:-1]}', f'withdraw {SELF[1][:-1]}', f'neighbor 192.0.2.20 announce {SELF[4]}'),
        ('withdraw', 1),
    ],
    'watchdogs': [
        *session(both(static(*DOGS))),
        *commands('withdraw watchdog dog', 'announce watchdog dog', 'announce watchdog cat', 'withdraw watchdog cat'),
        ('send', 0),
        ('load', both(static(*DOGS[1:3]))),
        *commands('announce watchdog dog', 'withdraw watchdog dog', 'withdraw watchdog none'),
        ('load', both(static(*DOGS[1:], *ROUTES))),
        ('send', 1),
    ],
    'dogs of templates': [
        ('load', template('all', static(*DOGS)) + both('inherit all;')),
        ('send', 0),
        *commands('announce watchdog dog', 'withdraw watchdog dog'),
    ],
    'templates': session(
        template('all', static(*ROUTES, *SELF[:2]), f'flow {{ {" ".join(FLOWS)} }}', f'l2vpn {{ {" ".join(VPLS)} }}')
        + both('inherit all;', static(*ROUTES[:2])),
        template('all', static(*ROUTES[1:])) + both('inherit all;', static(*DOGS)),
    ),
    'flow': session(both(f'flow {{ {" ".join(FLOWS)} }}'), both(f'flow {{ {FLOWS[1]} {FLOWS[3]} }}')),
    'late in flow': session(
        both(f'flow {{ {FLOWS[0]} }}'),
        *(both(f'flow {{ {FLOWS[0]} {FLOWS[1]} {late} }}', static(*ROUTES)) for late in LATE_FLOW),
    ),
    'late for all of a statement': session(
        *(
            both(section, f'flow {{ {LATE_FLOW[0]} }}')
            for section in (
                static(many('192.0.2.9', PLAIN[:1], '10.7.0.0/24', '10.7.1.0/24')),
                *(static(ROUTES[0], route) for route in SPLIT),
                announce('unicast 10.6.2.0/23 next-hop 192.0.2.9 med 5 split /25;'),
            )
        )
    ),
    'late for all that a later section has split': session(
        *(
            both(announce('unicast 10.6.2.0/23 next-hop 192.0.2.9 med 5 split /24;'), empty, 'l2vpn { med 100; }')
            for empty in ('static { }', 'announce { ipv4 { } }')
        )
    ),
    'marks by their codes': [
        (
            'load',
            both(
                static(
                    *(
                        f'route 10.6.{at}.0/24 next-hop 192.0.2.9 attribute [ {code} 0x40 0x{value} ];'
                        for at, value in enumerate(('', '01'))
                    )
                )
            ),
        )
        for code in ('0xfffa', '0xfffb', '0xfffc', '0xfffd')
    ],
    'vpls': [
        *session(both(f'l2vpn {{ {" ".join(VPLS)} }}'), both(f'l2vpn {{ {VPLS[1]} {VPLS[2]} }}')),
        *commands(f'announce {vpls_line(9, "192.0.2.10", ("med 5",))}'),
    ],
    'late in vpls': session(
        both(f'l2vpn {{ {VPLS[0]} }}'), *(both(f'l2vpn {{ {VPLS[0]} {VPLS[1]} {late} }}') for late in LATE_VPLS)
    ),
    'split': session(both(static(*SPLIT)), both(static(*SPLIT[1:3]), ANNOUNCED)),
    'announce': session(both(ANNOUNCED), both(ANNOUNCED, static(*ROUTES))),
    'multi-session': [
        *session(both(static(*ROUTES[:6], *SELF, *DOGS), f'flow {{ {FLOWS[0]} }}', options=CACHE + MULTI)),
        *session(both(static(*ROUTES[:3]), options=CACHE + MULTI)),
        ('copied',),
    ],
    'paths': session(both(static(*ROUTES), options=ADD_PATH), both(static(*ROUTES[3:]), options=ADD_PATH)),
    'without a cache': session(both(static(*ROUTES), options='adj-rib-out false;'), both(options='adj-rib-out false;')),
    'definitions': [
        *session(both(static(*ROUTES)), both(static(*ROUTES[1:]), options=CACHE + 'hold-time 90;')),
        ('load', neighbor(3, static(*ROUTES[1:4]), options=CACHE)),
        ('up', 0),
        ('load', both(static(*ROUTES), options=CACHE + 'group-updates false;')),
        ('copied',),
    ],
    'commands': [
        ('load', both(static(*ROUTES[:2]))),
        ('up', 0),
        *commands(
            *(f'announce {route}' for route in (*ROUTES[1:], *SELF[:2], *DOGS[:3])),
            *(f'announce {route[:-1]}' for route in SPLIT[:2]),
            f'announce {many("192.0.2.9", PLAIN, "10.7.0.0/24", "10.7.1.0/24")}',
            f'announce {many("self", PLAIN, "10.7.1.0/24", "10.7.2.0/24")}',
            f'announce {one_line("10.0.0.0/24", "192.0.2.9", ("med 6",))}',
            f'announce {one_line("10.0.0.0/24", "192.0.2.10", ("med 6",))}',
            f'announce {one_line("10.0.0.0/24", "192.0.2.9", PLAIN)}',
            'announce flow route { match { destination 10.0.0.9/32; } then { discard; } }',
            'announce flow route destination 10.0.0.8/32 discard',
        ),
        ('send', 0),
        *commands(
            'withdraw flow route { match { destination 10.0.0.9/32; } then { discard; } }',
            f'withdraw {many("192.0.2.9", PLAIN, "10.7.0.0/24", "10.7.1.0/24")}',
            f'withdraw {ROUTES[1]}',
            f'withdraw {ROUTES[2]}',
            'withdraw route 10.0.4.0/24',
            'flush adj-rib out',
            'announce ipv4 unicast 10.8.0.0/24 next-hop 192.0.2.9 med 5',
            'announce ipv4 unicast 10.8.1.0/24 next-hop self med 5',
            'withdraw ipv4 unicast 10.8.0.0/24 next-hop 192.0.2.9',
            'announce ipv6 unicast 2001:db8:9::/48 next-hop 2001:db8::9 med 5',
            'clear adj-rib out',
        ),
        ('delete', 0),
        ('send', 0),
        ('send', 1),
        ('clear', 0),
        ('clear', 1),
    ],
    'errors': [
        ('load', both(static(*ROUTES), f'flow {{ {FLOWS[0]} }}')),
        ('load', both(static(*ROUTES[1:], 'route 10.0.0.0/24;'))),
        ('load', both(f'flow {{ {LATE_FLOW[0]} }}')),
        ('load', both(static(ROUTES[0]), f'flow {{ {flow_block("x", "", "discard;")} }}')),
        ('load', neighbor(1, static(*ROUTES), options=CACHE) + neighbor(2, static('route 10.0.0.0/24 { med x; }'))),
        ('load', neighbor(1, static(one_line('2001:db8::/48', 'self', ())), options=CACHE)),
        ('load', neighbor(1, static(*ROUTES), options='family { ipv4 unicast; }')),
        ('load', neighbor(1, f'l2vpn {{ {vpls_block("three", 5, "self")} }}', options=CACHE)),
        ('load', neighbor(4, static(*ROUTES, *SELF), options=CACHE)),
        *commands(
            'announce route 10.0.0.0/24',
            'announce route 10.0.0.0/24 next-hop',
            'announce route 10.0.0.0/33 next-hop 192.0.2.9',
            'announce route 2001:db8::/48 next-hop self med 5',
            f'neighbor 192.0.2.99 announce {ROUTES[0]}',
            'announce attributes med 5 nlri',
            'announce flow route { match { } then { discard; } }',
        ),
        ('load', both(static(*ROUTES))),
    ],
    'session over IPv6': session(
        neighbor(4, static(*ROUTES, *SELF, one_line('2001:db8:2::/48', 'self', PLAIN)), options=CACHE),
        neighbor(4, static(*ROUTES[1:], *SELF[2:]), options=CACHE),
    ),
}


@pytest.mark.parametrize('name', SEQUENCES)
@pytest.mark.parametrize('look', [True, False], ids=['looked at', 'at the end'])
def test_a_daemon_does_what_a_stock_one_does(name: str, look: bool) -> None:
    assert differences(SEQUENCES[name], look) == []


@pytest.mark.skipif(not EXABGP_5, reason='ExaBGP 4.2 fails on some, with routes of several families')
def test_the_sequences_do_what_they_are_for() -> None:
    """Nearly all is accepted, or both daemons would do nothing."""
    for name, operations in SEQUENCES.items():
        daemon = Daemon()
        results = [daemon.do(operation)[0] for operation in operations if operation[0] in ('load', 'command')]
        accepted = [result for result in results if result is True or result == (True, '')]
        assert len(accepted) >= len(results) - (14 if name == 'errors' else 2), name
        assert accepted
        daemon.end()


# ---------------------------------------------------------------------------------- random sequences


def drawn_from(values: Iterable[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(tuple(values))


attributes = st.lists(drawn_from(ATTRIBUTES), max_size=3, unique_by=lambda text: text.split()[0])
QUALIFIERS = ('', '', '', 'label [ 100 ]', 'rd 65000:1 label 100', 'rd 65000:2 label 101', 'path-information 1.2.3.4')
lines_and_blocks = st.builds(
    lambda write, *arguments: write(*arguments),
    drawn_from((one_line, block)),
    drawn_from(PREFIXES),
    drawn_from(NEXT_HOPS),
    attributes,
    drawn_from(QUALIFIERS),
)
routes = (
    lines_and_blocks
    | drawn_from((*ROUTES, *SELF, *DOGS))
    | st.builds(many, drawn_from(NEXT_HOPS), attributes, drawn_from(PREFIXES), drawn_from(PREFIXES))
)
announced_routes = st.builds(
    lambda prefix, next_hop, texts: f'unicast {prefix} next-hop {next_hop} {" ".join(texts)};',
    drawn_from(PREFIXES),
    drawn_from(NEXT_HOPS),
    # the next section splits a route, and all its parts change with the last: in SEQUENCES
    attributes.map(lambda texts: [text for text in texts if not text.startswith('split')]),
)
vpls = st.builds(
    lambda write, *arguments: write(*arguments),
    drawn_from((functools.partial(vpls_block, 'one'), functools.partial(vpls_block, 'two'), vpls_line)),
    st.integers(3, 4),
    drawn_from(NEXT_HOPS[:2]),
    st.lists(drawn_from(PLAIN), max_size=2, unique=True),
)


def section(name: str, parts: Any, late: Iterable[str] = ()) -> Any:
    """Return a strategy for a section, which may end with a statement that changes the route before it."""
    last = st.just('') if not late else st.just('') | drawn_from(late)
    return st.builds(lambda made, late: f'{name} {{ {" ".join([*made, late])} }}', st.lists(parts, max_size=4), last)


sections = st.lists(
    section('static', routes)
    | section('static', routes)
    | section('announce { ipv4', announced_routes).map(lambda text: text + ' }')
    | section('flow', drawn_from(FLOWS), LATE_FLOW)
    | section('l2vpn', vpls, LATE_VPLS),
    max_size=3,
)
options = drawn_from(
    (CACHE, CACHE, CACHE, '', 'adj-rib-out false;', ADD_PATH, CACHE + MULTI * EXABGP_5, CACHE + 'hold-time 90;')
)


@st.composite
def configurations(draw: Any) -> str:
    shared = draw(st.none() | sections)
    text = template('all', *shared) if shared is not None else ''
    for number in draw(st.lists(drawn_from((1, 1, 2, 2, 3, 4)), min_size=1, max_size=3, unique=True)):
        inherit = 'inherit all;' if shared is not None and draw(st.booleans()) else ''
        text += neighbor(number, inherit, *draw(sections), options=draw(options))
    return text


numbers = st.integers(0, 3)
api = st.builds(
    lambda peer, action, route: f'{peer}{action} {route}',
    drawn_from(('', '', 'neighbor 192.0.2.10 ', 'neighbor 192.0.2.20 ')),
    drawn_from(('announce', 'announce', 'withdraw')),
    routes | announced_routes.map('ipv4 {}'.format) | vpls | drawn_from(FLOWS).map('flow {}'.format),
) | drawn_from(
    [f'{action} watchdog {name}' for action in ('announce', 'withdraw') for name in ('dog', 'cat')]
    + ['flush adj-rib out', 'clear adj-rib out', 'withdraw route 10.0.0.0/24', 'announce route 10.0.0.0/24']
)
operations = st.lists(
    st.tuples(st.just('load'), configurations())
    | st.tuples(st.just('command'), api)
    | st.tuples(st.just('command'), api)
    | st.tuples(drawn_from(('up', 'down', 'send', 'send', 'withdraw', 'delete', 'clear')), numbers)
    | st.tuples(st.just('refresh'), numbers, st.booleans())
    | (st.just(('copied',)) if EXABGP_5 else st.nothing()),  # 4.2 copies NORD
    max_size=9,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(first=configurations(), then=operations, look=drawn_from((True, True, False)))
def test_random_operations(first: str, then: list[Operation], look: bool) -> None:
    assert differences([('load', first), *then], look) == []


# ------------------------------------------------------------------------------- what holds a route


class Watch:
    """Notes what is set on a route, NLRI or prefix that several neighbors, RIBs or lists of these hold."""

    LAZY = ('_Change__index', '_ip')  # made when they are first asked for

    def __init__(self) -> None:
        self.neighbors: list[Any] = []
        self.found: list[Any] = []
        self.sets = 0
        self.most = 0
        self._held: Any = None

    def holders(self) -> Any:
        """Return by how many each is held, by its id."""
        if self._held is None:
            lists: dict[Any, list[Any]] = {}
            for number, each in enumerate(self.neighbors):
                # in ExaBGP 4.2 the routes of a neighbor are those of its RIB
                lists.setdefault(number if EXABGP_5 else each.name(), []).extend(each.changes)
            for name, rib in RIB._cache.items():
                out = rib.outgoing
                dogs = [changes for signs in out._watchdog.values() for changes in signs.values()]
                queues = [changes for families in out._new_attr_af_nlri.values() for changes in families.values()]
                again = getattr(out, '_refresh_changes', getattr(out, '_enhanced_refresh_delay', ()))
                rest = (*dogs, *queues, out._new_nlri, *out._seen.values())
                lists.setdefault(name, []).extend([*again, *(each for changes in rest for each in changes.values())])
            self._held = Counter(
                one
                for changes in lists.values()
                for one in {id(part) for each in changes for part in (each, each.nlri, getattr(each.nlri, 'cidr', 0))}
            )
            self.most = max([self.most, *self._held.values()])
        return self._held

    def setting(self, cls: Any) -> Any:
        stock = cls.__setattr__

        def __setattr__(route: Any, name: str, value: Any) -> None:
            self.sets += 1
            if name not in self.LAZY and self.holders()[id(route)] > 1:
                self.found.append((type(route).__name__, name, getattr(route, name, None) == value))
            stock(route, name, value)

        return __setattr__

    def holding(self, owner: Any, name: str) -> Any:
        """Return the method of a neighbor or a RIB, noting that routes may have other holders then."""
        stock = getattr(owner, name)

        @functools.wraps(stock)
        def method(self_: Any, *arguments: Any) -> Any:
            self._held = None
            if isinstance(self_, Neighbor) and not any(each is self_ for each in self.neighbors):
                self.neighbors.append(self_)
            try:
                return stock(self_, *arguments)
            finally:
                self._held = None

        return method

    @contextmanager
    def on(self) -> Iterator[None]:
        rib = outgoing_module.OutgoingRIB
        with pytest.MonkeyPatch.context() as patched:
            for cls in (Change, NLRI, CIDR):
                assert '__setattr__' not in vars(cls)
                patched.setattr(cls, '__setattr__', self.setting(cls), raising=False)
            for owner, name in (
                *((Neighbor, name) for name in ('__init__', 'make_rib', 'remove_self')),
                *((rib, name) for name in ('add_to_rib', 'add_to_rib_watchdog', 'del_from_rib', 'resend', 'clear')),
            ):
                patched.setattr(owner, name, self.holding(owner, name))
            yield


def set_on_held(operations: Iterable[Operation], watch: Watch) -> list[Any]:
    """Return what an interned daemon sets on what several hold, but what the parser sets to the value that it has."""
    daemon = Daemon()
    found = []
    with watch.on():
        for operation in operations:
            daemon.do(operation)
            found += [
                (operation[0], *each)
                for each in watch.found
                # ExaBGP's parser does so with the routes of a template, for each neighbor that inherits them
                if not (operation[0] == 'load' and each == (each[0], 'action', True))
            ]
            watch.found.clear()
    daemon.end()
    return found


@pytest.mark.parametrize('name', SEQUENCES)
def test_nothing_is_set_on_a_route_that_several_hold(name: str) -> None:
    watch = Watch()
    with interned():
        assert set_on_held(SEQUENCES[name], watch) == []
    assert watch.sets > 50
    assert watch.most > 1 or not EXABGP_5  # in ExaBGP 4.2 each neighbor has routes of its own


# ---------------------------------------------------------------------------------------- sharing


@pytest.fixture
def shared() -> Iterator[None]:
    with interned():
        yield
    RIB._cache.clear()
    gc.collect()
    assert not announced.TABLE.data


def loaded(text: str) -> Daemon:
    daemon = Daemon()
    result = daemon.do(('load', text))
    assert result[0] == (True, ''), result
    return daemon


def held(daemon: Daemon) -> dict[str, list[Any]]:
    """Return all sets of a daemon, by the text of a route without its attributes."""
    found: dict[str, list[Any]] = {}
    for neighbor in daemon.configuration.neighbors.values():
        for change in (*neighbor.changes, *neighbor.rib.outgoing.cached_changes()):
            found.setdefault(str(change.nlri).split()[0], []).append(change.attributes)
    return found


WRITERS = (one_line, block if EXABGP_5 else one_line)  # 4.2 loads a file with both, but not twice


def test_equal_attributes_are_one_object(shared: None) -> None:
    texts = ('10.0.0.0/24', '10.0.1.0/24')
    daemon = loaded(both(static(*(write(text, '192.0.2.9', PLAIN) for write, text in zip(WRITERS, texts)))))
    assert daemon.do(('command', f'announce {one_line("10.0.2.0/24", "192.0.2.9", PLAIN)}'))[0] is True
    assert daemon.do(('command', f'announce {many("192.0.2.9", PLAIN, "10.0.3.0/24", "10.0.4.0/24")}'))[0] is True
    found = [each for all_of_one in held(daemon).values() for each in all_of_one]
    # two neighbors have the first two in a list and in the RIB, and the other three in the RIB
    assert len(found) == 14
    assert {id(each) for each in found} == {id(found[0])}
    assert type(found[0]) is Announced
    assert daemon.do(('load', both(static(one_line(texts[0], '192.0.2.9', PLAIN)))))[0] == (True, '')
    assert {id(each) for all_of_one in held(daemon).values() for each in all_of_one} == {id(found[0])}
    daemon.end()


def test_a_route_that_stays_as_it_is_is_one_object(shared: None) -> None:
    daemon = loaded(both(static(ROUTES[0], SELF[1])))
    first, second = daemon.configuration.neighbors.values()
    (route, own), (other, others) = first.changes, second.changes
    queued = list(first.rib.outgoing.queued_changes())
    assert queued[0] is route
    assert (route is other) is False
    assert route.attributes is other.attributes
    assert own.attributes is not others.attributes
    assert own.nlri is not others.nlri
    daemon.end()


DIFFERENT = {
    'metric': ('med 5', 'med 6'),
    'order': ('med 5 origin egp', 'origin egp med 5'),
    'name': ('name one', 'name two'),
    'a name and none': ('med 5', 'med 5 name one'),
    'watchdog': ('watchdog dog', 'watchdog cat'),
    'withdrawn watchdog': ('watchdog dog', 'watchdog dog withdraw'),
    'split': ('split /25', 'split /26'),
    'a name and a watchdog': ('name dog', 'watchdog dog'),
    'metric as octets': ('attribute [ 0x63 0xc0 0x00000005 ]', 'attribute [ 0x63 0xe0 0x00000005 ]'),
    'next hop': ('next-hop 192.0.2.9', 'next-hop 192.0.2.10'),
    'text of the next hop': ('next-hop 2001:db8::9', 'next-hop 2001:0db8::9'),
}


@pytest.mark.parametrize('name', DIFFERENT)
def test_different_attributes_are_different_objects(name: str, shared: None) -> None:
    texts = [text if 'next-hop' in text else f'next-hop 192.0.2.9 {text}' for text in DIFFERENT[name]]
    found = []
    for neighbor_of_two in (1, 2):
        routes = [f'route 10.{number}.0.0/24 {text};' for number, text in enumerate([*texts, *texts])]
        found.append(loaded(neighbor(neighbor_of_two, static(*routes), options=CACHE)))
    sets = [
        [each.attributes for each in one.changes] for daemon in found for one in daemon.configuration.neighbors.values()
    ]
    quarter = len(sets[0]) // 4
    by_text = [{id(each) for one in sets for each in one[quarter * number :][:quarter]} for number in range(4)]
    if name != 'split':
        assert by_text[0] == by_text[2] != by_text[1] == by_text[3]
        assert all(len(each) == 1 for each in by_text)
    assert len({id(each) for one in sets for each in one}) == 2
    assert all(type(each) is Announced for one in sets for each in one)
    for daemon in found:
        daemon.end()


def test_what_prints_alike_is_not_merged_if_it_is_not(shared: None) -> None:
    alike = ('med 5', 'med 5 name one', 'med 5 watchdog dog', 'med 5 withdraw', 'med 5 split /24')
    routes = (one_line(f'10.0.{number}.0/24', '192.0.2.9', (text,)) for number, text in enumerate(alike))
    daemon = loaded(neighbor(1, static(*routes), options=CACHE))
    (one,) = daemon.configuration.neighbors.values()
    assert len({str(each.attributes) for each in one.changes}) == 1
    assert len({each.attributes.index() for each in one.changes}) == 1
    assert len({id(each.attributes) for each in one.changes}) == len(alike)
    daemon.end()


def test_a_mark_is_left_in_a_set_and_works(shared: None) -> None:
    daemon = loaded(both(static(*DOGS)))
    for one in daemon.configuration.neighbors.values():
        dog, withdrawn, *_ = (each.attributes for each in one.changes)
        for _ in range(2):
            assert (str(dog.watchdog()), dog.withdraw()) == ('dog', False)
            assert (str(withdrawn.watchdog()), withdrawn.withdraw()) == ('dog', True)
    daemon.end()


# -------------------------------------------------------------------------------------- immutable


def announced_set() -> tuple[Daemon, Any]:
    attributes = ('community [ 65000:1 65000:2 ]', 'extended-community [ target:65000:1 ]', 'med 5')
    daemon = loaded(neighbor(1, static(one_line('10.0.0.0/24', '192.0.2.9', attributes)), options=CACHE))
    (one,) = daemon.configuration.neighbors.values()
    return daemon, one.changes[0].attributes


def shown(attributes: Any) -> Any:
    parts = [(code, str(each)) for code, each in attributes.items()]
    return str(attributes), attributes.json(), attributes.index(), parts


EXTENDED = ExtendedCommunities.unpack(b'\0\2\0\1\0\0\0\1', None, None)
# of a dict and of a set of ExaBGP's; test_received.py watches that nothing of a dict or a list is forgotten
CHANGES: dict[str, Callable[[Any], Any]] = {
    '__setitem__': lambda it: it.__setitem__(4, MED(9)),
    'another': lambda it: it.__setitem__(5, MED(9)),
    '__delitem__': lambda it: it.__delitem__(4),
    '__ior__': lambda it: it.__ior__({4: MED(9)}),
    'clear': lambda it: it.clear(),
    'pop': lambda it: it.pop(4),
    'pop, default': lambda it: it.pop(4, None),
    'popitem': lambda it: it.popitem(),
    'setdefault': lambda it: it.setdefault(250, MED(9)),
    'update': lambda it: it.update({4: MED(9)}),
    'add': lambda it: it.add(GENERIC),
    'add extended communities': lambda it: it.add(EXTENDED),
    'remove': lambda it: it.remove(4),
    'set': lambda it: setattr(it, 'mine', 1),
    'add in place': lambda it: it[16].add(EXTENDED.communities[0]),
    'change in place': lambda it: it[8].communities.append(it[8].communities[0]),
    'sort in place': lambda it: it[8].communities.sort(),
}
GENERIC = types.SimpleNamespace(ID=0x63)


@pytest.mark.parametrize('name', CHANGES)
def test_a_change_is_refused(name: str, shared: None) -> None:
    if name == '__ior__' and sys.version_info < (3, 9):
        pytest.skip('a dict has none')
    if name == 'add extended communities' and not EXABGP_5:
        pytest.skip('ExaBGP 4.2 adds nothing to what is there')
    daemon, made = announced_set()
    assert type(made) is Announced
    before = shown(made)
    with pytest.raises((TypeError, AttributeError), match='shared'):
        CHANGES[name](made)
    assert shown(made) == before
    daemon.end()


COPIES: dict[str, Callable[[Any], Any]] = {
    'copy': copy.copy,
    'deepcopy': copy.deepcopy,
    'of the route': lambda it: copy.deepcopy(Change(None, it)).attributes,
    'pickle': lambda it: pickle.loads(pickle.dumps(it)),
}


# what a set makes when it is first asked for it
TEXTS = {'_str': '', '_idx': '', '_json': '', **({'_dict': None} if hasattr(Stock, 'as_dict') else {})}


@pytest.mark.parametrize('how', COPIES)
@pytest.mark.parametrize('looked', [False, True])
def test_a_copy_can_be_changed(how: str, looked: bool) -> None:
    texts = []
    for under in (interned, None):
        if under:
            with under():
                daemon, made = announced_set()
                assert type(made) is Announced
        else:
            daemon, made = announced_set()
            assert type(made) is Stock
        vars(made).update(TEXTS)
        if looked:
            shown(made)
        own = COPIES[how](made) if under or how != 'copy' else copy.deepcopy(made)
        assert type(own) is Stock
        own.add(copy.deepcopy(EXTENDED))
        own.remove(8)
        own[4] = MED(1)
        own.mine = 1
        for value in own.values():
            if isinstance(value, Communities):
                value.add(value.communities[0])
        vars(own).update(TEXTS)  # ExaBGP does not renew all of them
        texts.append((shown(own), vars(own)))
        assert shown(made) != texts[-1][0]
        daemon.end()
    assert texts[0] == texts[1]


def late(under: Any, looked: bool) -> Any:
    """Return what there is after the last route of a scope was given attributes, when it was shared already."""
    scope = Scope()
    with under():
        daemon = loaded(neighbor(1, static(ROUTES[0]), options=CACHE))
        api = daemon.reactor.api
        routes = [api.api_route(f'announce {ROUTES[0]}') for _ in range(2)]
        kept = routes[0][0]
        if looked:
            route_seen(kept)
        scope.extend_routes(routes[1])
        for adding in (copy.deepcopy(EXTENDED), MED(9), EXTENDED):
            scope.attribute_add('late', adding)
        (changed,) = scope.get_routes()
        seen = route_seen(kept), route_seen(changed)
        with pytest.raises(IndexError) as raised:
            Scope().attribute_add('late', MED(9))
        daemon.end()
        return (*seen, str(raised.value))


@contextmanager
def as_it_is() -> Iterator[None]:
    yield


@pytest.mark.parametrize('looked', [False, True])
def test_attributes_that_come_late_are_as_in_exabgp(looked: bool) -> None:
    mine, own = late(interned, looked), late(as_it_is, looked)
    assert mine == own
    assert mine[0] != mine[1]


@pytest.mark.parametrize('number', [1, 4])
def test_next_hop_self_is_as_in_exabgp(number: int) -> None:
    def resolved() -> Any:
        daemon = loaded(neighbor(number, static(*SELF), options=CACHE))
        (one,) = daemon.configuration.neighbors.values()
        made = [one.remove_self(each) for each in daemon.reactor.api.api_route(f'announce {SELF[0]}')]
        found = list(map(route_seen, [*made, *one.changes]))
        daemon.end()
        return found

    expected = resolved()
    with interned():
        assert resolved() == expected
    assert 'self' not in str(expected)


# --------------------------------------------------------------------------------------- weak


@pytest.mark.parametrize('name', SEQUENCES)
def test_the_table_is_empty_when_all_routes_are_gone(name: str) -> None:
    with interned():
        daemon = Daemon()
        most = 0
        for operation in SEQUENCES[name]:
            daemon.do(operation)
            most = max(most, len(announced.TABLE.data))
        assert most
        daemon.end()
        del daemon
        gc.collect()
        assert not announced.TABLE.data


def test_a_set_goes_with_its_last_route() -> None:
    """By reference count: routes are in no cycle, though neighbors and parsers are."""
    with interned():
        gc.collect()
        gc.disable()
        try:
            daemon = loaded(both(static(*ROUTES[:2], *SELF[:2], *DOGS[:5])))
            alive = len(announced.TABLE.data)
            assert alive > 5
            extra = one_line('10.9.0.0/24', '192.0.2.99', ('med 99', 'community [ 65000:99 ]'))
            assert daemon.do(('command', f'announce {extra}'))[0] is True
            assert len(announced.TABLE.data) == alive + 1
            assert daemon.do(('command', f'withdraw {extra}'))[0] is True
            for number in (0, 1):
                daemon.do(('send', number))
            assert len(announced.TABLE.data) == alive
            assert daemon.do(('load', both()))[0] == (True, '')
            for number in (0, 1):
                daemon.do(('down', number))  # in 4.2 a peer has the neighbor of before until then
            for one in daemon.configuration.neighbors.values():
                one.rib.outgoing._watchdog.clear()  # which ExaBGP keeps for good
                one.rib.outgoing.clear()
                one.previous = None
            assert not announced.TABLE.data
            daemon.end()
        finally:
            gc.enable()


# -------------------------------------------------------------------------------------- switches


def kinds(daemon: Daemon) -> set[type]:
    return {type(each) for all_of_one in held(daemon).values() for each in all_of_one}


def test_install_switches_it() -> None:
    exabgp_intern.install(announced=False)
    assert not announced.HOOKS.installed()
    assert 'Announced' not in installed()
    daemon = loaded(both(static(ROUTES[0])))
    assert kinds(daemon) == {Stock}
    exabgp_intern.install()
    assert announced.HOOKS.installed()
    assert 'Announced' in installed()
    # the routes of before are not shared, but stock's copy of one is
    assert kinds(daemon) == {Stock}
    (one, *_) = daemon.configuration.neighbors.values()
    copied = one.remove_self(one.changes[0])
    assert copied is not one.changes[0]
    assert (type(copied.attributes), type(one.changes[0].attributes)) == (Announced, Stock)
    ours = loaded(both(static(ROUTES[0])))
    assert kinds(ours) == {Announced}
    exabgp_intern.uninstall()
    assert not announced.HOOKS.installed()
    assert Neighbor.remove_self is STOCK_REMOVE_SELF
    # what was shared stays so, and works
    assert kinds(ours) == {Announced}
    assert ours.do(('send', 0))[0] == daemon.do(('send', 0))[0]
    assert ours.do(('command', f'withdraw {ROUTES[0]}'))[0] is True
    assert kinds(loaded(both(static(ROUTES[0])))) == {Stock}


@pytest.mark.parametrize('name', [name for name in SEQUENCES if name != 'errors'])
def test_switching_in_between_changes_nothing(name: str) -> None:
    """Every other operation is done with it installed, and every other without."""

    def switched(first: int) -> list[Any]:
        daemon = Daemon()
        found = []
        for number, operation in enumerate(SEQUENCES[name]):
            with interned() if first >= 0 and number % 2 == first else as_it_is():
                found.append((daemon.do(operation), daemon.seen()))
        daemon.end()
        return found

    expected = switched(-1)
    for first in (0, 1):
        mine = switched(first)
        assert [own for own, one in zip(mine, expected) if own != one] == []


def test_a_method_that_somebody_has_wrapped_is_not_installed_twice() -> None:
    announced.HOOKS.install()
    ours = vars(Neighbor)['remove_self']
    calls = []

    def wrapper(self: Any, changes: Any) -> Any:
        calls.append(changes)
        return ours(self, changes)

    Neighbor.remove_self = wrapper
    try:
        announced.HOOKS.uninstall()
        announced.HOOKS.install()
        assert vars(Neighbor)['remove_self'] is wrapper
        assert not announced.HOOKS.installed()
        assert ours._stock is STOCK_REMOVE_SELF
        daemon = loaded(both(static(*ROUTES)))
        assert calls
        assert kinds(daemon) == {Announced}
        daemon.end()
    finally:
        Neighbor.remove_self = ours
        announced.HOOKS.uninstall()
    assert vars(Neighbor)['remove_self'] is STOCK_REMOVE_SELF
    announced.HOOKS.install()
    assert announced.HOOKS.installed()
    announced.HOOKS.uninstall()
    assert vars(Neighbor)['remove_self'] is STOCK_REMOVE_SELF


def test_what_was_there_before_is_asked_for_every_route(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def remove_self(self: Any, changes: Any) -> Any:
        calls.append(changes)
        return STOCK_REMOVE_SELF(self, changes)

    monkeypatch.setattr(Neighbor, 'remove_self', remove_self)
    loaded(both(static(*ROUTES))).end()
    without = len(calls)
    exabgp_intern.install()
    try:
        loaded(both(static(*ROUTES))).end()
    finally:
        exabgp_intern.uninstall()
    assert len(calls) == 2 * without > 0


def test_an_iterator_of_routes_is_not_consumed() -> None:
    with interned():
        scope = Scope()
        scope.extend_routes(iter([1, 2]))
        assert scope.get_routes() == [1, 2]


def test_a_wrapper_of_functools_is_left_alone_too() -> None:
    announced.HOOKS.install()
    ours = vars(Neighbor)['remove_self']
    Neighbor.remove_self = functools.wraps(ours)(lambda self, changes: ours(self, changes))
    wrapper = Neighbor.remove_self
    try:
        announced.HOOKS.uninstall()
        announced.HOOKS.install()
        assert vars(Neighbor)['remove_self'] is wrapper
    finally:
        Neighbor.remove_self = ours
        announced.HOOKS.uninstall()
    assert vars(Neighbor)['remove_self'] is STOCK_REMOVE_SELF


def test_another_shape_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Scope, 'extend_routes', lambda self, value, more=None: None)
        assert not announced.known()
        exabgp_intern.install()
        assert not announced.HOOKS.installed()
        assert vars(Neighbor)['remove_self'] is STOCK_REMOVE_SELF
    exabgp_intern.uninstall()
    assert announced.known()


# ---------------------------------------------------------------------------------------- faults


@pytest.fixture
def planted() -> Iterator[Callable[[str, str], Any]]:
    """Return what puts one line for another of the module, and returns what has its hooks in use."""

    def plant(line: str, fault: str) -> Any:
        faulty = with_a_fault(announced, line, fault)

        @contextmanager
        def under() -> Iterator[None]:
            faulty.HOOKS.install()
            assert faulty.HOOKS.installed()
            try:
                yield
            finally:
                faulty.HOOKS.uninstall()
                assert Neighbor.remove_self is STOCK_REMOVE_SELF

        return under

    yield plant
    RIB._cache.clear()


# the line, what stands for it, and a sequence that shows it
FAULTS = {
    'no set of its own at next-hop self': (
        "if getattr(getattr(change.nlri, 'nexthop', None), 'SELF', False):",
        'if False:',
        'next hop self',
    ),
    'attributes added to a shared set': ('if isinstance(route.attributes, Attributes):', 'if False:', 'late in flow'),
    'a key without the marks': (
        'items = list(attributes.items())',
        'items = [each for each in attributes.items() if each[0] not in Stock.INTERNAL]',
        'watchdogs',
    ),
    'a key without the values of marks': ("getattr(value, '__getnewargs__', tuple)()", '()', 'watchdogs'),
    'a key of the codes': (
        'return pickle.dumps(items, pickle.HIGHEST_PROTOCOL)',
        'return repr(sorted(attributes)).encode()',
        'commands',
    ),
    'one next hop for all': (
        'type(next_hop) is type(entry.next_hop) and lines.attributes(next_hop) == lines.attributes(entry.next_hop)',
        'True',
        'vpls',
    ),
}
FAULTS_OF_5 = {
    'no copy at next-hop self': ("and not getattr(change.nlri.nexthop, 'SELF', True)", '', 'next hop self'),
    'the action not checked': ('and change.nlri.action == ANNOUNCE', '', 'flow'),
    'no copy when a route is withdrawn': (
        'own = Change(copy(change.nlri), change.attributes)',
        'own = Change(change.nlri, change.attributes)',
        'withdrawn by one',
    ),
}
# before 5.0.7 each neighbor has copies of its own
FAULTS.update(FAULTS_OF_5 if EXABGP_5 and not NO_HOOKS else {})


@pytest.mark.parametrize('fault', FAULTS)
def test_a_planted_fault_is_found(fault: str, planted: Callable[[str, str], Any]) -> None:
    line, instead, name = FAULTS[fault]
    assert differences(SEQUENCES[name], under=planted(line, instead))


@pytest.mark.skipif(not EXABGP_5, reason='each neighbor has copies of its own')
def test_watchdogs_that_are_not_copied_are_found(planted: Callable[[str, str], Any]) -> None:
    with planted('and WATCHDOG not in change.attributes', '')():
        found = set_on_held(SEQUENCES['watchdogs'], Watch())
    assert ('command', 'INET', 'action', True) in found
