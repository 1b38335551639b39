"""Look for qualifiers, next hops and attribute sets that outlive their routes.

Announces, withdraws, announces again and flushes routes of four families (VPNv4, labelled unicast,
EVPN, IPv4 unicast; all with ADD-PATH) through ExaBGP's decoder, adj-rib-in and adj-rib-out, then
reloads a configuration with routes, copies it, reloads it with other attributes, and without routes.
Then it announces routes by the API, again and again with other attributes, and withdraws them.
Every cycle has values that no cycle had before.  The garbage collector is off: what only a collection
would free is a leak too.

ExaBGP itself keeps one attribute set a session, that of the UPDATE before, if its routes were IPv4
unicast; after a flush this program lets go of that one.

It is a leak if the garbage collector lists, at any stage, one of those objects that no route holds; if
a table has an entry left after a flush; or if traced memory, after all cycles and once more after a
peak of values that are all different, is more than 1 % above what it was after the first cycles.  The
size of the tables does not count there, for a dict keeps its size when it is emptied; it is printed.

On a leak, prints what grew, and writes what refers to one survivor to leak.dot in the current
directory (`dot -Tsvg leak.dot` draws it).

Exit code: 0 no leak, 1 a leak, 2 bad usage.
"""

# ruff: noqa: E402

from __future__ import annotations

import tracemalloc

tracemalloc.start()  # before the imports, for the modules to count in the 1 %

import argparse
import gc
import inspect
import sys
from copy import deepcopy
from itertools import cycle as cycled
from struct import pack
from typing import Any, Callable, Iterator
from weakref import ref

import objgraph
from exabgp.bgp.message import Action, Update
from exabgp.bgp.message.direction import Direction
from exabgp.bgp.message.update import attribute
from exabgp.configuration.configuration import Configuration

import exabgp_intern
from exabgp_intern import lines
from exabgp_intern.attribute import sightings
from exabgp_intern.installation import DEFAULT, sets
from exabgp_intern.lines import canonical_class
from exabgp_intern.report.commands import add_peers, obey, reactor
from exabgp_intern.report.loading import negotiated_session
from exabgp_intern.table import Table

FIRST_CYCLES = 10  # after which traced memory grows no more: Python keeps some freed tuples, and counts them as in use
SETS = sets()
CLASSES = [
    *(canonical_class(name) for name in DEFAULT if name in lines.classes()),
    SETS['Attributes'].Received,
    SETS['Announced'].Announced,
]
WATCHED = {*CLASSES, *(cls._shared for cls in CLASSES if hasattr(cls, '_shared'))}
TABLES = [*(cls._table for cls in CLASSES), SETS['PathAttributes'].TABLE]

# Attributes and sets are shared at once, and not only when they come again: then all are in the tables.
sightings.seen_before = lambda key: True

# ------------------------------------------------------------------------------------------ routes


def rd(value: int) -> bytes:
    return pack('!HHL', 0, 65000, value)


def label(value: int) -> bytes:
    return (value << 4 | 1).to_bytes(3, 'big')


def vpn(route: int, value: int) -> bytes:
    return pack('!LB', value, 24 + 64 + 32) + label(value) + rd(value) + pack('!L', route)


def labelled(route: int, value: int) -> bytes:
    return pack('!LB', value, 24 + 32) + label(value) + pack('!L', route)


def unicast(route: int, value: int) -> bytes:
    return pack('!LBL', value, 32, route)


def evpn(route: int, value: int) -> bytes:
    esi, mac = pack('!HQ', 0, value), pack('!HL', 0x0200, route)
    path = pack('!L', value) if lines.nlris_hold() else b''  # ExaBGP 6 reads none before an EVPN route
    return path + b'\2\x21' + rd(value) + esi + pack('!LB', value, 48) + mac + b'\0' + label(value)


# AFI, SAFI, what stands before the address in a next hop, the routes
FAMILIES = ((1, 128, bytes(8), vpn), (1, 4, b'', labelled), (25, 70, b'', evpn), (1, 1, b'', unicast))

ORIGIN_PATH_PREFERENCE = b'\x40\x01\x01\0' + b'\x40\x02\0' + b'\x40\x05\x04\0\0\0\x64'
IPV4_UNICAST = (1, 1)


def messages(announce: bool, routes: range, value_of: Callable[[int], int]) -> Iterator[bytes]:
    """Yield the UPDATE messages, 50 routes in each, that announce or withdraw `routes` of each family."""
    for afi, safi, before, nlri in FAMILIES:
        for at in range(0, len(routes), 50):
            nlris = b''.join(nlri(route, value_of(route)) for route in routes[at : at + 50])
            family = pack('!HB', afi, safi)
            value = value_of(routes[at])
            hop = pack('!L', 10 << 24 | value)
            metric = pack('!BBBL', 0x80, 4, 4, value)  # so that there is a new attribute set
            attributes = ORIGIN_PATH_PREFERENCE + metric if announce else b''
            withdrawn = announced = b''
            if (afi, safi) == IPV4_UNICAST:
                if announce:
                    attributes += b'\x40\3\4' + hop
                    announced = nlris
                else:
                    withdrawn = nlris
            elif announce:
                reach = family + bytes([len(before + hop)]) + before + hop + b'\0' + nlris
                attributes += pack('!BBH', 0x90, 14, len(reach)) + reach
            else:
                attributes += pack('!BBH', 0x90, 15, len(family + nlris)) + family + nlris
            yield pack('!H', len(withdrawn)) + withdrawn + pack('!H', len(attributes)) + attributes + announced


CONFIGURATION = """
neighbor 192.0.2.1 {
    router-id 192.0.2.2;
    local-address 192.0.2.2;
    local-as 65000;
    peer-as 65000;
    family { ipv4 unicast; ipv4 nlri-mpls; ipv4 mpls-vpn; l2vpn evpn; }
    capability { add-path send/receive; }
    static { %s }
}
"""

STATIC = (
    'route 10.0.{0}.{1}/32 rd 65000:{2} label {2} path-information {2} next-hop {4} med {3} community [ 65000:{3} ];'
)
COMMAND = '{} route 10.0.{}.{}/32 next-hop 10.1.0.1 med {} community [ 65000:{} ]'
CHURN = 3  # times that the API announces a route


class Speaker:
    """A BGP speaker without its sockets: a configuration, one session, the routes of both directions."""

    def __init__(self) -> None:
        self.configuration = Configuration([CONFIGURATION], text=True)
        self.reactor = reactor(self.configuration)
        self.reload()
        self.negotiated = negotiated_session(self.neighbor, self.neighbor.families(), self.neighbor.addpaths(), True)
        add_peers(self.reactor)

    def reload(self, routes: str = '') -> None:
        self.configuration._configurations = [CONFIGURATION % routes]
        if self.configuration.reload() is not True:
            raise ValueError(str(self.configuration.error))
        (self.neighbor,) = self.configuration.neighbors.values()
        self.rib = self.neighbor.rib
        if self.neighbor.previous:
            # what ExaBGP's peer does when it sees a new configuration
            self.rib.outgoing.replace_reload(self.routes_of(self.neighbor.previous), self.routes_of(self.neighbor))
            self.neighbor.previous = None
        for peer in self.reactor._peers.values():
            peer.neighbor = self.neighbor

    def routes_of(self, neighbor: Any) -> list[Any]:
        return list(neighbor.changes)

    def receive(self, bodies: Iterator[bytes]) -> None:
        """Decode, store, and pass on."""
        from exabgp.rib.change import Change

        for body in bodies:
            update = Update.unpack_message(body, Direction.IN, self.negotiated)
            for nlri in update.nlris:
                change = Change(nlri, update.attributes)
                self.rib.incoming.update_cache(change)
                if nlri.action == Action.ANNOUNCE:
                    self.rib.outgoing.add_to_rib(change)
                else:
                    self.rib.outgoing.del_from_rib(change)
        self.send()

    def obey(self, commands: Iterator[str]) -> None:
        """Do what API commands say, and pass it on."""
        for command in commands:
            if not obey(self.reactor, command, False):
                raise ValueError(command)
        self.send()

    def send(self) -> None:
        for update in self.rib.outgoing.updates(True):
            for _ in update.messages(self.negotiated):
                pass

    def flush(self) -> None:
        self.rib.incoming.clear()
        self.rib.outgoing.withdraw()
        self.send()
        self.rib.outgoing.clear()
        self.forget()

    def forget(self) -> None:
        """Let go of the attribute set that ExaBGP keeps."""
        self.negotiated.cached_attributes = None

    def held(self) -> set[int]:
        """Return the ids of all that the routes refer to."""
        routes = self.routes_of(self.neighbor)
        for rib in (self.rib.incoming, self.rib.outgoing):
            routes += self.stored(rib)
        held = {id(value) for route in routes for value in (*lines.attributes(route.nlri).values(), route.attributes)}
        return held | {id(value) for route in routes for value in route.attributes.values()} | self.held_besides()

    def stored(self, rib: Any) -> list[Any]:
        return list(rib.cached_changes(actions=(Action.ANNOUNCE, Action.WITHDRAW)))

    def held_besides(self) -> set[int]:
        return {id(self.negotiated.cached_attributes)}


class SpeakerOf6(Speaker):
    """The same with ExaBGP 6, where a route says neither whether it is announced nor withdrawn."""

    def routes_of(self, neighbor: Any) -> list[Any]:
        return list(neighbor.routes)

    def receive(self, bodies: Iterator[bytes]) -> None:
        from exabgp.rib.route import Route

        for body in bodies:
            update = Update.unpack_message(body, self.negotiated).data
            for routed in update.announces:
                route = Route(routed.nlri, update.attributes, nexthop=routed.nexthop)
                str(route)  # the NLRI then holds its route distinguisher and its labels
                self.rib.incoming.update_cache(route)
                self.rib.outgoing.add_to_rib(route)
            for nlri in update.withdraws:
                self.rib.incoming.update_cache_withdraw(nlri)
                self.rib.outgoing.del_nlri_from_rib(nlri)
        self.send()

    def forget(self) -> None:
        attribute.AttributeCollection.cached = None

    def stored(self, rib: Any) -> list[Any]:
        return list(rib.cached_routes())

    def held_besides(self) -> set[int]:
        return set()


# ------------------------------------------------------------------------------------------ checks


def check(speaker: Speaker, stage: str) -> int:
    """Exit if there is an object that no route holds; return how many objects there are."""
    held = speaker.held()
    alive = [each for each in gc.get_objects() if type(each) in WATCHED]
    number = len(alive)
    if number < sum(entry() is not None for cls in CLASSES for entry in cls._table.valuerefs()):
        sys.exit('the garbage collector does not list all that is alive, so this program cannot tell')
    alive = [each for each in alive if id(each) not in held]
    if alive:
        leak(f'{len(alive)} of {number} objects are held by no route {stage}', alive)
    return number


def check_empty(speaker: Speaker, stage: str) -> None:
    check(speaker, stage)
    left = [entry for table in TABLES for entry in table.data.values()]
    if left:
        leak(f'{len(left)} entries are left in the tables {stage}', left)


def check_memory(start: int, stage: str, repeat: Callable[[], Any]) -> None:
    now = traced()
    print(f'traced memory {stage}: {now:,} bytes, {now / start - 1:+.2%}')
    if now > start * 1.01:
        before = tracemalloc.take_snapshot()
        repeat()
        after = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(False, tracemalloc.__file__)])
        print('what one more cycle adds:')
        for growth in [growth for growth in after.compare_to(before, 'lineno') if growth.size_diff > 0][:5]:
            print(f'    {growth}')
        leak(f'{now - start:,} bytes more than at the start are in use {stage}')


def traced() -> int:
    return tracemalloc.get_traced_memory()[0] - sum(tables())


def tables() -> list[int]:
    return [sys.getsizeof(table.data) for table in TABLES]


def leak(verdict: str, survivors: Any = None) -> None:
    if survivors:
        print('what grew:', ', '.join(f'{number} {name}' for name, number in objgraph.typestats(survivors).items()))
        gc.unfreeze()  # the graph shows no frozen objects
        objgraph.show_backrefs(
            survivors[:1],
            max_depth=5,
            extra_ignore=[id(survivors)],
            filter=lambda referrer: not inspect.isframe(referrer),
            filename='leak.dot',
        )
    print('LEAK:', verdict)
    sys.exit(1)


# ------------------------------------------------------------------------------------------ cycles


def cycle(speaker: Speaker, number: int, size: int) -> None:
    """Take `size` routes of each family, 10 to a value, through everything."""
    routes = range(size)
    half = routes[::2]

    def value_of(route: int) -> int:
        return 1 + (number * size + route) // 10

    speaker.receive(messages(True, routes, value_of))
    check(speaker, 'after announcements')
    speaker.receive(messages(False, half, value_of))
    check(speaker, 'after withdrawals')
    speaker.receive(messages(True, half, value_of))
    check(speaker, 'after new announcements')
    speaker.flush()
    check_empty(speaker, 'after a flush')

    for metric in (1, 2):
        static = [
            STATIC.format(route >> 8 & 255, route & 255, value_of(route), value_of(route) + metric, hop)
            for route, hop in zip(routes[::10], cycled(('self', '10.1.0.1')))
        ]
        speaker.reload(' '.join(static))
        speaker.send()
        copy = deepcopy(speaker.neighbor)  # as ExaBGP does to validate a configuration
        check(speaker, 'after a reload and a copy')
        del copy

    for metric in range(CHURN):
        speaker.obey(
            COMMAND.format('announce', route >> 8 & 255, route & 255, value_of(route) + metric, metric)
            for route in routes[::10]
        )
        check(speaker, 'after commands of the API')
    speaker.obey(
        COMMAND.format('withdraw', route >> 8 & 255, route & 255, value_of(route), 0) for route in routes[::10]
    )
    check(speaker, 'after the API has withdrawn')

    speaker.reload()
    speaker.flush()
    check_empty(speaker, 'after a reload without routes')


def peak(speaker: Speaker, size: int) -> None:
    """Take `size` routes of each family, with all values different, in and out again."""
    speaker.receive(messages(True, range(size), lambda route: 1 + route))
    print(f'peak: {check(speaker, "at the peak"):,} objects alive, in tables of {sum(tables()):,} bytes')
    speaker.flush()
    check_empty(speaker, 'after the peak')
    print(f'the tables are empty, and keep {sum(tables()):,} bytes')


# ------------------------------------------------------------------------------------------ faults

Keep = Callable[[Table, Any, Any], Any]


def strong(keep: Keep) -> Keep:
    """A second table, that is not weak."""
    kept: dict[Any, Any] = {}

    def faulty(table: Table, key: Any, instance: Any) -> Any:
        return kept.setdefault((id(table), key), keep(table, key, instance))

    return faulty


def loop(keep: Keep) -> Keep:
    """A ring around each instance, which only a collection frees."""

    def faulty(table: Table, key: Any, instance: Any) -> Any:
        instance = keep(table, key, instance)
        ring = [instance]
        ring.append(ring)
        return instance

    return faulty


class Stale(ref):  # type: ignore[type-arg]
    hits = 0
    next_hop = None


def stale(keep: Keep) -> Keep:
    """Entries that stay when their instance goes."""

    def faulty(table: Table, key: Any, instance: Any) -> Any:
        instance = keep(table, key, instance)
        table.data[key] = Stale(instance)  # type: ignore[assignment]
        return instance

    return faulty


def keys(keep: Keep) -> Keep:
    """A record of all keys there ever were."""
    seen: list[Any] = []

    def faulty(table: Table, key: Any, instance: Any) -> Any:
        seen.append((id(table), key))
        return keep(table, key, instance)

    return faulty


FAULTS = {fault.__name__: fault for fault in (strong, loop, stale, keys)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--routes', type=int, default=500, help='of each family in a cycle, %(default)s')
    parser.add_argument('--cycles', type=int, default=50, help=f'after the first {FIRST_CYCLES}, %(default)s')
    parser.add_argument('--peak', type=int, default=20000, help='routes of each family, six values each, %(default)s')
    parser.add_argument('--plant', choices=FAULTS, help='make the tables faulty, to see it found')
    options = parser.parse_args()
    if min(options.routes, options.cycles, options.peak) < 1:
        parser.error('the sizes are 1 at least')

    gc.disable()
    lines.start()
    exabgp_intern.install()
    if options.plant:
        Table.keep = FAULTS[options.plant](Table.keep)  # type: ignore[method-assign]
    speaker = Speaker() if lines.nlris_hold() else SpeakerOf6()
    gc.freeze()  # what is here already is no leak; the collector need not list it

    cycles = FIRST_CYCLES + options.cycles
    for number in range(FIRST_CYCLES):
        cycle(speaker, number, options.routes)
    start = traced()
    print(f'traced memory after {FIRST_CYCLES} cycles: {start:,} bytes')
    for number in range(FIRST_CYCLES, cycles):
        cycle(speaker, number, options.routes)

    def repeat() -> None:
        cycle(speaker, cycles, options.routes)

    check_memory(start, f'after {options.cycles} more', repeat)
    peak(speaker, options.peak)
    check_memory(start, 'after the peak', repeat)
    routes = (options.routes * 3 // 2 * cycles + options.peak) * len(FAMILIES)
    print(f'no leak: {routes:,} routes announced, and no qualifier, next hop or set outlived them')


if __name__ == '__main__':
    main()
