"""Announced routes of real daemons: an interned ExaBGP sends each of its peers the octets that a stock one sends."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from struct import pack
from typing import Any, Callable, Iterator, NamedTuple

import pytest

from scripts.speaker import KEEPALIVE, OPEN, ROUTE_REFRESH, UPDATE, free_port, message
from tests import ROOT
from tests.daemon.daemons import INTERNED, STOCK, ExaBGP, wait_for

PROGRAMS = {'stock': STOCK, 'interned': INTERNED}
SECONDS = 20  # for one step: it takes a fraction of one

IPV4, IPV6, MULTICAST, LABELLED, VPN, VPN6, MVPN, FLOW, FLOW_VPN, FLOW6, VPLS = FAMILIES = (
    (1, 1),
    (2, 1),
    (1, 2),
    (1, 4),
    (1, 128),
    (2, 128),
    (1, 5),
    (1, 133),
    (1, 134),
    (2, 133),
    (25, 65),
)
NAMES = (
    'ipv4 unicast; ipv6 unicast; ipv4 multicast; ipv4 nlri-mpls; ipv4 mpls-vpn; ipv6 mpls-vpn; ipv4 mcast-vpn; '
    'ipv4 flow; ipv4 flow-vpn; ipv6 flow; l2vpn vpls;'
)


def capability(code: int, value: bytes = b'') -> bytes:
    return pack('!BBBB', 2, 2 + len(value), code, len(value)) + value


REFRESH, ENHANCED_REFRESH = capability(2), capability(70)
ADD_PATH = capability(69, b''.join(pack('!HBB', *family, 3) for family in (IPV4, VPN)))
MULTI_SESSION = capability(68, b'\0')


class Neighbor(NamedTuple):
    """A peer of the daemon: its address and AS, the daemon's address for it, and what both say of themselves."""

    address: str
    local: str
    capabilities: bytes
    section: str  # what the daemon's configuration has for it
    families: tuple[tuple[int, int], ...] = FAMILIES
    number: int = 65000
    last: Any = None  # a family, and the NLRI of a route in it, if a refresh of IPv4 is not answered

    def opening(self) -> bytes:
        several = b''.join(capability(1, pack('!HBB', afi, 0, safi)) for afi, safi in self.families)
        several += self.capabilities
        return message(
            OPEN, pack('!BHH4sB', 4, self.number, 3600, socket.inet_aton(self.address), len(several)) + several
        )

    def configuration(self) -> str:
        return f"""
neighbor {self.address} {{
    router-id {self.local};
    local-address {self.local};
    peer-as {self.number};
    {self.section}
}}
"""


# All but the last are made from one template.
NEIGHBORS = (
    Neighbor(
        '127.0.0.2',
        '127.0.0.1',
        capability(65, pack('!I', 65000)) + REFRESH + capability(26),
        'inherit common; capability { aigp enable; } static { route 10.20.0.0/24 next-hop self community 65000:1; }',
    ),
    # as many neighbors as there can be of different kinds: eBGP, one UPDATE for each route, paths
    Neighbor(
        '127.0.0.3',
        '127.0.0.4',
        capability(65, pack('!I', 65001)) + REFRESH + ENHANCED_REFRESH + ADD_PATH,
        """inherit common; group-updates false;
    capability { add-path send/receive; } add-path { ipv4 unicast; ipv4 mpls-vpn; }
    announce { ipv4 { unicast 10.20.1.0/24 next-hop self community 65000:1; } }
    flow { route own { match { destination 10.20.2.0/24; } then { discard; } } }""",
        number=65001,
    ),
    # two octets for an AS
    Neighbor('127.0.0.5', '127.0.0.6', REFRESH, 'inherit common; inherit more;'),
    Neighbor(
        '127.0.0.7',
        '127.0.0.8',
        capability(65, pack('!I', 65000)) + REFRESH + MULTI_SESSION,
        """local-as 65000; hold-time 3600; passive true; adj-rib-out true;
    capability { multi-session; route-refresh; }
    family { ipv4 unicast; ipv6 unicast; }
    api { processes [ helper ]; neighbor-changes; send { parsed; update; } }
    static {
        route 10.30.0.0/24 next-hop self community [ 65000:1 65000:2 ] med 7;
        route 10.30.1.0/24 next-hop 192.0.2.1 watchdog dog;
        route 2001:db8:30::/48 next-hop 2001:db8::1 community [ 65000:1 65000:2 ] med 7;
    }""",
        (IPV4, IPV6),
        # with a session for each family, it resends only the last
        last=(IPV6, bytes.fromhex('3020010db80030')),
    ),
)

TEMPLATE = """
template {
    neighbor common {
        local-as 65000;
        hold-time 3600;
        passive true;
        adj-rib-out true;
        capability { route-refresh; }
        family { FAMILIES }
        api {
            processes [ helper ];
            neighbor-changes;
            receive { parsed; update; open; refresh; notification; }
            send { parsed; update; }
        }
        static {
            route 10.0.0.0/24 next-hop self;
            route 10.0.1.0/24 next-hop self community [ 65000:1 65000:2 ] med 7;
            route 10.0.2.0/24 next-hop 192.0.2.1 community [ 65000:1 65000:2 ] med 7 name first;
            route 10.0.3.0/24 {
                next-hop self;
                community [ 65000:1 65000:2 ];
                med 7;
                extended-community [ target:65000:1 origin:1.2.3.4:5 ];
                large-community [ 1:2:3 ];
                name second;
            }
            route 10.0.4.0/24 {
                next-hop 192.0.2.1;
                as-path [ 65010 70000 ];
                aggregator ( 70000:192.0.2.9 );
                atomic-aggregate;
                originator-id 192.0.2.8;
                cluster-list [ 192.0.2.7 192.0.2.6 ];
                aigp 100;
                attribute [ 0x99 0xc0 0x0102 ];
            }
            route 10.1.0.0/22 next-hop self split /24 as-path [ 65010 70000 ];
            route 10.1.4.0/22 { next-hop 192.0.2.2; split /24; origin egp; local-preference 200; }
            route 10.2.0.0/24 next-hop self watchdog dog;
            route 10.2.1.0/24 next-hop 192.0.2.1 watchdog dog withdraw;
            route 10.2.2.0/24 { next-hop self; watchdog cat; withdraw; }
            route 10.2.4.0/22 next-hop 192.0.2.1 split /24 watchdog cat;
            route 10.3.0.0/24 rd 65000:1 label 100 next-hop self extended-community target:65000:1;
            route 10.3.1.0/24 { rd 65000:1; label [ 100 200 ]; next-hop 192.0.2.1; extended-community target:65000:1; }
            route 10.3.0.0/24 rd 65000:2 label 100 next-hop 192.0.2.1 extended-community target:65000:1;
            route 10.4.0.0/24 label 200 next-hop self;
            route 10.4.1.0/24 label 200 next-hop 192.0.2.1;
            attributes next-hop self med 5 community 65000:5 nlri 10.5.0.0/24 10.5.1.0/24;
            attributes next-hop 192.0.2.1 med 5 community 65000:5 nlri 10.5.2.0/24 10.5.3.0/24;
            route 2001:db8::/32 next-hop 2001:db8::1 split /34 community 65000:1;
            route 2001:db8:1::/48 rd 65000:1 label 100 next-hop 2001:db8::1;
            CHANGING
        }
        announce {
            ipv4 {
                unicast 10.6.0.0/24 next-hop self community [ 65000:1 65000:2 ] med 7;
                unicast 10.6.1.0/24 next-hop 192.0.2.1 split /26 extended-community [ target:65000:1 target:65000:2 ];
                unicast 10.6.2.0/24 next-hop self watchdog dog;
                multicast 224.1.0.0/24 next-hop self;
                nlri-mpls 10.7.0.0/24 next-hop self label 300;
                mcast-vpn source-ad source 10.9.0.4 group 239.251.255.228 rd 65000:9 next-hop 192.0.2.1;
                flow source 10.10.0.1/32 destination-port =25 discard;
            }
            ipv6 {
                unicast 2001:db8:2::/48 next-hop 2001:db8::1 community 65000:1;
                flow destination 2001:db8:3::/48/0 discard;
            }
            l2vpn {
                vpls rd 1.2.3.4:1 endpoint 5 base 1 offset 1 size 8 next-hop 1.2.3.4 extended-community target:65000:6;
            }
        }
        flow {
            route first {
                match { source 10.11.0.1/32; destination 10.11.0.2/32; port [ =80 =8080 ]; protocol tcp; }
                then { redirect 65000:1; community [ 65000:1 65000:2 ]; extended-community [ origin:1.2.3.4:5 ]; }
            }
            route second { rd 65000:4; match { source 10.11.0.3/32; } then { rate-limit 9600; } }
            route third { next-hop 192.0.2.1; match { source 10.11.0.4/32; } then { redirect-to-nexthop; } }
            route fourth { match { source 10.11.0.5/32; } then { redirect 192.0.2.9; copy 192.0.2.9; } }
            route fifth { match { source 10.11.0.6/32; } then { discard; } }
            route sixth { match { source 10.11.0.7/32; } then { discard; } }
            # ExaBGP takes this as one of the route before
            community [ 65000:3 ];
        }
        l2vpn {
            vpls rd 192.0.2.1:2 endpoint 5 base 10702 offset 1 size 8 next-hop 192.0.2.1;
            vpls site { rd 192.0.2.1:3; endpoint 5; base 10732; offset 1; size 8; next-hop 192.0.2.1; med 2000; }
            vpls other { rd 192.0.2.1:4; endpoint 5; base 10732; offset 1; size 8; next-hop 192.0.2.1; med 2000; }
            community [ 65000:3 ];
        }
    }
    neighbor more {
        static {
            route 10.21.0.0/24 next-hop self community [ 65000:1 65000:2 ] med 7;
            route 10.21.1.0/24 { next-hop 192.0.2.1; watchdog cat; }
        }
        announce { ipv4 { unicast 10.21.2.0/24 next-hop 192.0.2.1; } }
    }
}
"""

# What a reload changes: by this time a route has other attributes, another next hop, another watchdog, or is gone.
CHANGES = (
    """route 10.40.0.0/24 next-hop self med 1;
    route 10.40.1.0/24 next-hop 192.0.2.1 med 1;
    route 10.40.2.0/24 next-hop self watchdog dog;
    route 10.40.3.0/24 next-hop 192.0.2.1 name before;
    route 10.40.4.0/22 next-hop self split /24;
    route 10.40.16.0/24 rd 65000:1 label 100 next-hop self;""",
    """route 10.40.0.0/24 next-hop self med 2;
    route 10.40.1.0/24 next-hop self med 1;
    route 10.40.2.0/24 next-hop self watchdog cat withdraw;
    route 10.40.3.0/24 next-hop 192.0.2.1 name after;
    route 10.40.4.0/22 next-hop 192.0.2.1 split /23;
    route 10.40.16.0/24 rd 65000:1 label 200 next-hop self;
    route 10.40.17.0/24 rd 65000:1 label 100 next-hop 192.0.2.1;""",
    """route 10.40.0.0/24 next-hop 192.0.2.1 med 1;
    route 10.40.1.0/24 next-hop 192.0.2.1 med 1;
    route 10.40.2.0/24 next-hop self;
    route 10.40.8.0/24 next-hop 192.0.2.1 med 1;
    route 10.40.9.0/24 next-hop self med 1 community 65000:1;""",
    """route 10.40.0.0/24 next-hop self med 1;
    route 10.40.1.0/24 next-hop 192.0.2.1 med 1;
    route 10.40.2.0/24 next-hop self watchdog dog;
    route 10.40.3.0/24 next-hop 192.0.2.1 name before;
    route 10.40.4.0/22 next-hop self split /24;""",
)


def configuration(number: int) -> str:
    """Return the configuration after so many reloads.  Its route 10.50.NUMBER.0/24 is gone after the next."""
    changing = CHANGES[number] + f'\nroute 10.50.{number}.0/24 next-hop 192.0.2.1 med {1000 + number};'
    *several, alone = (neighbor.configuration() for neighbor in NEIGHBORS)
    unlabelled = '\n'.join(line for line in changing.splitlines() if ' rd ' not in line)
    alone = alone.replace('static {', f'static {{ {unlabelled}')
    return TEMPLATE.replace('FAMILIES', NAMES).replace('CHANGING', changing) + ''.join(several) + alone


class Peer:
    """The other side of a session, which keeps each message that it gets."""

    def __init__(self, neighbor: Neighbor, port: int) -> None:
        self.neighbor, self._port = neighbor, port
        self.messages: list[bytes] = []
        self._rest = b''
        self._socket: Any = None

    def connect(self) -> None:
        self._socket = socket.create_connection((self.neighbor.local, self._port), SECONDS, (self.neighbor.address, 0))
        self._socket.sendall(self.neighbor.opening())
        before = len(self.messages)
        self.hear(lambda: OPEN in kinds(self.messages[before:]))
        self.keep_alive()
        ends = len(self.neighbor.families)
        self.hear(lambda: sum(map(is_end_of_rib, self.messages[before:])) >= ends)

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def keep_alive(self) -> None:
        self.send(message(KEEPALIVE))

    def close(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket, self._rest = None, b''

    def connected(self) -> bool:
        return self._socket is not None

    def times(self, octets: bytes) -> int:
        """Return how many UPDATE messages have `octets` in them."""
        return sum(octets in each for each in self.messages if each[18] == UPDATE)

    def hear(self, enough: Callable[[], bool]) -> None:
        """Take messages until there are `enough`."""
        end = time.monotonic() + SECONDS
        while not enough():
            self._socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                octets = self._socket.recv(1 << 16)
            except socket.timeout:
                octets = b''
            if not octets:
                raise AssertionError(f'{self.neighbor.address} waited in vain: {self.messages[-5:]}')
            self._take(octets)

    def hear_the_end(self) -> None:
        self._socket.settimeout(SECONDS)
        while True:
            try:
                octets = self._socket.recv(1 << 16)
            except ConnectionResetError:
                return
            if not octets:
                return
            self._take(octets)

    def _take(self, octets: bytes) -> None:
        self._rest += octets
        while len(self._rest) >= 19 and len(self._rest) >= int.from_bytes(self._rest[16:18], 'big'):
            length = int.from_bytes(self._rest[16:18], 'big')
            self.messages.append(self._rest[:length])
            self._rest = self._rest[length:]


def kinds(messages: list[bytes]) -> list[int]:
    return [each[18] for each in messages]


def is_end_of_rib(octets: bytes) -> bool:
    return octets[18:] == b'\2\0\0\0\0' or (len(octets) == 30 and octets[18:26] == b'\2\0\0\0\7\x90\x0f\0')


class Run:
    """One daemon with its peers, which are told and made to do the same as the other's."""

    def __init__(self, directory: Path, program: tuple[str, ...], port: int) -> None:
        variables = {
            'exabgp_tcp_bind': ' '.join(neighbor.local for neighbor in NEIGHBORS),
            'exabgp_api_ack': 'true',
            'exabgp_api_show_routes_format': 'v2',
            'exabgp_log_level': 'DEBUG',
            **{f'exabgp_log_{source}': 'true' for source in ('rib', 'routes', 'message', 'timers', 'packets')},
            'PYTHONHASHSEED': '0',  # for the order of the sets in which ExaBGP keeps its peers
        }
        self.daemon = ExaBGP(directory, program, configuration(0), port, **variables)
        self.peers = [Peer(neighbor, port) for neighbor in NEIGHBORS]
        self._port, self._said = port, 0

    def __enter__(self) -> Run:
        return self

    def log(self) -> list[str]:
        """Return the lines of the log, without the port and the directory of this run."""
        directory, port = str(self.daemon.directory), str(self._port)
        return self.daemon.output.replace(directory, 'DIRECTORY').replace(port, 'PORT').splitlines()

    def __exit__(self, *_: Any) -> None:
        for peer in self.peers:
            peer.close()
        self.daemon.__exit__()

    def start(self) -> None:
        wait_for(lambda: 'loaded new configuration' in self.daemon.output, SECONDS)
        for peer in self.peers:
            peer.connect()
        self.say()

    def say(self, *commands: str) -> None:
        """Send API commands, all in one write, and wait until each peer got what follows from them."""
        self._said += 1
        # ExaBGP sends routes by their attributes, in the order in which it got these: this one has its own
        last = f'announce route 198.18.{self._said}.0/24 next-hop 192.0.2.1 med {5000 + self._said}'
        self.daemon.say('\n'.join((*commands, last)))
        for peer in self._there():
            peer.hear(lambda peer=peer: peer.times(self._last()))  # type: ignore[misc]

    def _there(self) -> list[Peer]:
        return [peer for peer in self.peers if peer.connected()]

    def _last(self) -> bytes:
        return b'\x18\xc6\x12' + bytes([self._said])

    def refresh(self, *families: tuple[int, int]) -> None:
        """Have each peer ask for all routes of `families`, and of one more after them, which tells that all were."""
        for peer in self.peers:
            family, route = peer.neighbor.last or (IPV4, self._last())
            before = peer.times(route)
            asked = [each for each in (*families, IPV4) if each in peer.neighbor.families and each != family]
            peer.send(b''.join(message(ROUTE_REFRESH, pack('!HBB', afi, 0, safi)) for afi, safi in (*asked, family)))
            peer.hear(lambda: peer.times(route) > before)  # noqa: B023
        self.say()

    def flap(self, peer: Peer, *commands: str) -> None:
        """Let `peer` go, and come again; the daemon is given `commands` in between."""
        downs = self.downs(peer)
        peer.close()
        wait_for(lambda: self.downs(peer) > downs, SECONDS)
        if commands:
            answers = self._answers()
            self.daemon.say('\n'.join(commands))
            wait_for(lambda: self._answers() >= answers + len(commands), SECONDS)
        peer.connect()
        self.say()

    def downs(self, peer: Peer) -> int:
        return sum(
            told['neighbor'].get('state') == 'down' and told['neighbor']['address']['peer'] == peer.neighbor.address
            for told in self.daemon.heard()
            if 'neighbor' in told
        )

    def _answers(self) -> int:
        return sum('answer' in told for told in self.daemon.heard())

    def reload(self, number: int) -> None:
        loads = self.daemon.output.count('loaded new configuration')
        self.daemon.configure(configuration(number))
        self.daemon.popen.send_signal(signal.SIGUSR1)
        wait_for(lambda: self.daemon.output.count('loaded new configuration') > loads, SECONDS)
        self.say()
        # ExaBGP withdraws what is gone when it next hears from the peer
        gone = b'\x18\x0a\x32' + bytes([number - 1])
        for peer in self._there():
            before = peer.times(gone)
            peer.keep_alive()
            peer.hear(lambda: peer.times(gone) > before)  # noqa: B023
        self.say()

    def end(self) -> None:
        self.daemon.popen.send_signal(signal.SIGTERM)
        for peer in self.peers:
            peer.hear_the_end()
        assert self.daemon.exit_code() == 0


ATTRIBUTES = 'med 9 community [ 65000:1 65000:2 ] as-path [ 65010 70000 ]'
FLOWS = (
    'flow route { match { source 10.62.0.1/32; destination-port =3128; protocol tcp; } then { rate-limit 9600; } }',
    'flow route { rd 65000:1; match { source 10.62.0.2/32; } then { redirect 65000:1; } }',
)
VPLS_BY_API = 'vpls rd 192.0.2.1:9 endpoint 5 base 10702 offset 1 size 8 next-hop 192.0.2.1 med 2000'


def one_peer_flaps(run: Run) -> None:
    run.flap(run.peers[0])
    # while it is away, the others are told of this, and it is when it comes again
    run.flap(
        run.peers[2],
        'announce route 10.63.0.0/24 next-hop self med 9',
        'announce route 10.60.1.0/24 next-hop 192.0.2.3',
        'withdraw route 10.60.2.0/24 next-hop 192.0.2.1',
        'withdraw route 10.40.1.0/24',
    )


def all_flap(run: Run) -> None:
    for peer in run.peers:
        run.flap(peer)


def reload_while_one_is_away(run: Run) -> None:
    peer = run.peers[0]
    downs = run.downs(peer)
    peer.close()
    wait_for(lambda: run.downs(peer) > downs, SECONDS)
    run.reload(3)
    peer.connect()
    run.say()


# All that happens, in this order.
STEPS: dict[str, Callable[[Run], None]] = {
    'start': Run.start,
    'announce': lambda run: run.say(
        f'announce route 10.60.0.0/24 next-hop self {ATTRIBUTES}',
        f'announce route 10.60.1.0/24 next-hop 192.0.2.1 {ATTRIBUTES}',
        f'announce route 10.60.2.0/24 next-hop 192.0.2.1 {ATTRIBUTES}',
        'announce route 10.60.4.0/22 next-hop self split /24',
        'announce route 10.60.8.0/24 rd 65000:1 label 100 next-hop self extended-community target:65000:1',
        'announce route 10.60.9.0/24 label 100 next-hop 192.0.2.1 name by-api',
        'announce route 10.60.10.0/24 path-information 1.2.3.4 next-hop 192.0.2.1',
        'announce route 2001:db8:60::/48 next-hop 2001:db8::1 community 65000:1',
        'announce ipv4 unicast 10.60.11.0/24 next-hop self community 65000:1',
        'announce ipv6 unicast 2001:db8:61::/48 next-hop 2001:db8::1 community 65000:1',
    ),
    'announce several': lambda run: run.say(
        f'announce attributes next-hop self {ATTRIBUTES} nlri 10.61.0.0/24 10.61.1.0/24',
        f'announce attributes next-hop 192.0.2.1 {ATTRIBUTES} nlri 10.61.2.0/24 10.61.3.0/24',
        'announce attributes rd 65000:1 label 100 next-hop 192.0.2.1 med 9 nlri 10.61.4.0/24 10.61.5.0/24',
        *(f'announce {flow}' for flow in FLOWS),
        f'announce {VPLS_BY_API}',
    ),
    'what is wrong': lambda run: run.say(
        'announce route 2001:db8:60::/48 next-hop self',
        'announce route 10.60.0.0/24',
        'announce route 10.60.0.0/33 next-hop self',
        'announce route 10.60.0.0/24 next-hop 192.0.2.1 med none',
        'announce attributes next-hop self nlri',
        'announce flow route { match { source 10.62.0.1; } }',
        'announce vpls endpoint 5',
        'neighbor 127.0.0.99 announce route 10.60.0.0/24 next-hop self',
    ),
    'announce again': lambda run: run.say(
        f'announce route 10.60.0.0/24 next-hop self {ATTRIBUTES}',  # as it is: nothing is sent
        f'announce route 10.60.1.0/24 next-hop self {ATTRIBUTES}',
        'announce route 10.60.2.0/24 next-hop 192.0.2.1 med 10',
        'announce route 10.0.1.0/24 next-hop self med 8',
        'announce route 10.0.2.0/24 next-hop 192.0.2.1 med 8',
    ),
    'announce twice': lambda run: run.say(
        'announce route 10.60.2.0/24 next-hop 192.0.2.1 med 11',
        'announce route 10.60.2.0/24 next-hop self med 11',
        'withdraw route 10.60.2.0/24 next-hop self',
        'announce route 10.60.2.0/24 next-hop 192.0.2.1 med 10',
    ),
    'one neighbor': lambda run: run.say(
        f'neighbor 127.0.0.2 announce route 10.64.0.0/24 next-hop self {ATTRIBUTES}',
        f'neighbor 127.0.0.3 announce route 10.64.1.0/24 next-hop self {ATTRIBUTES}',
        'neighbor 127.0.0.5 local-as 65000 announce route 10.64.0.0/24 next-hop 192.0.2.1',
        'neighbor 127.0.0.2 withdraw route 10.0.0.0/24',
        f'neighbor 127.0.0.3 announce attributes next-hop self {ATTRIBUTES} nlri 10.64.2.0/24 10.64.3.0/24',
        'neighbor 127.0.0.3 , neighbor 127.0.0.5 announce route 10.64.4.0/24 next-hop self',
        'neighbor 127.0.0.7 announce route 10.64.5.0/24 next-hop self med 7',
    ),
    'show': lambda run: run.say('show adj-rib out extensive', 'show adj-rib out extensive json'),
    'flush': lambda run: run.say('flush adj-rib out'),
    'flush one': lambda run: run.say('neighbor 127.0.0.3 flush adj-rib out', f'withdraw {FLOWS[0]}'),
    'announce watchdog': lambda run: run.say('announce watchdog dog', 'announce watchdog cat'),
    'withdraw watchdog': lambda run: run.say('withdraw watchdog dog'),
    'both watchdogs': lambda run: run.say('withdraw watchdog cat', 'announce watchdog dog', 'announce watchdog none'),
    'refresh': lambda run: run.refresh(),
    'refresh others': lambda run: run.refresh(VPN, FLOW, VPLS, IPV6),
    'reload': lambda run: run.reload(1),
    'watchdog after a reload': lambda run: run.say('announce watchdog cat', 'withdraw watchdog dog'),
    'flap': one_peer_flaps,
    'withdraw': lambda run: run.say(
        f'withdraw route 10.60.1.0/24 next-hop self {ATTRIBUTES}',
        'withdraw route 10.0.3.0/24',
        'withdraw route 10.60.8.0/24 rd 65000:1 label 100',
        'withdraw attributes next-hop self nlri 10.61.0.0/24 10.61.2.0/24',
        'withdraw route 10.99.0.0/24',  # which there is not
        f'withdraw {FLOWS[1]}',
        f'withdraw {VPLS_BY_API}',
    ),
    'second reload': lambda run: run.reload(2),
    'clear': lambda run: run.say('clear adj-rib out'),
    'announce what was cleared': lambda run: run.say(
        'announce route 10.0.0.0/24 next-hop self', f'announce route 10.60.0.0/24 next-hop self {ATTRIBUTES}'
    ),
    'third reload, one is away': reload_while_one_is_away,
    'flush at last': lambda run: run.say('flush adj-rib out', 'show adj-rib out extensive'),
    'all flap': all_flap,
    'end': Run.end,
}


class Ran(NamedTuple):
    octets: dict[str, list[list[bytes]]]  # by step, for each peer
    told: list[dict[str, Any]]  # by JSON
    log: list[str]


@pytest.fixture(scope='module')
def ran(tmp_path_factory: Any) -> Iterator[dict[str, Ran]]:
    directory = tmp_path_factory.mktemp('announced')
    found = {}
    for name, program in PROGRAMS.items():
        with Run(directory / name, program, free_port()) as run:
            octets = {}
            for step, do in STEPS.items():
                before = [len(peer.messages) for peer in run.peers]
                do(run)
                octets[step] = [peer.messages[start:] for peer, start in zip(run.peers, before)]
            found[name] = Ran(octets, run.daemon.heard(), run.log())
    yield found


@pytest.mark.parametrize('step', STEPS)
def test_each_peer_gets_the_same_octets(ran: dict[str, Ran], step: str) -> None:
    for neighbor, stock, interned in zip(NEIGHBORS, ran['stock'].octets[step], ran['interned'].octets[step]):
        assert stock or step == 'end', neighbor.address
        assert [each.hex() for each in interned] == [each.hex() for each in stock], neighbor.address


def of_a_neighbor(told: list[dict[str, Any]], address: str) -> list[dict[str, Any]]:
    return [each for each in told if each.get('neighbor', {}).get('address', {}).get('peer') == address]


@pytest.mark.parametrize('address', [neighbor.address for neighbor in NEIGHBORS])
def test_the_helper_process_is_told_the_same(ran: dict[str, Ran], address: str) -> None:
    stock, interned = (of_a_neighbor(each.told, address) for each in ran.values())
    assert interned == stock
    assert len(stock) > 100


def test_the_api_answers_the_same(ran: dict[str, Ran]) -> None:
    stock, interned = ([told for told in each.told if 'neighbor' not in told] for each in ran.values())
    assert interned == stock
    assert len(stock) > 100


def test_the_log_is_the_same(ran: dict[str, Ran]) -> None:
    stock, interned = (by_source(each.log) for each in ran.values())
    assert interned.keys() == stock.keys()
    for source, lines in stock.items():
        assert interned[source] == lines, source
    assert len(stock['rib']) > 1000


def by_source(log: list[str]) -> dict[str, list[str]]:
    """Return the lines of a log by what they are of, without those that differ between any two runs."""
    found: dict[str, list[str]] = {}
    for line in log:
        told = re.match(r'\d\d:\d\d:\d\d \d+ +(\S+) +(.*)', line)
        source, text = told.groups() if told else ('', line)
        # how often a session looks at its timers and counters, or for more to send, is a matter of time
        timed = source == 'statistics' or source.startswith('ka-') or re.match(r'>> \d+ UPDATE', text)
        if not timed and 'exabgp-intern' not in line:
            found.setdefault(source, []).append(re.sub(r'\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b', 'UUID', text))
    for source in ('routes', 'network', 'reactor'):
        found[source].sort()  # of several peers, of which each is at its own pace
    return found


# An API command that announces or withdraws routes.
COMMAND = re.compile(r'(neighbor .*)?(announce|withdraw) (?!watchdog|operational|refresh|route-refresh|eor)\S')
SESSIONS = ('', 'two octets', 'external')


def load(checkout: Path, output: Path) -> None:
    """Write what becomes of each configuration of a checkout of ExaBGP, and of the commands of its helper processes."""
    from exabgp.bgp.neighbor import Neighbor as Configured

    examples = checkout / 'etc' / 'exabgp'
    files = {
        each.name: [each] for pattern in ('etc/exabgp', 'qa/encoding') for each in checkout.glob(f'{pattern}/*.conf')
    }
    for each in checkout.glob('qa/encoding/*.ci'):
        paths = [examples / name for name in each.read_text().split()]
        if len(paths) > 1:  # or it is among those
            files[each.name] = paths
    found = {}
    for name, paths in sorted(files.items()):
        Configured._GLOBAL['uid'] = 1
        found[name] = list(_become(paths))
        if 'process' not in paths[0].read_text() and not name.startswith('skip-'):
            found[name] += _refused(paths[0], output.with_suffix('.conf'))
    output.write_text(json.dumps(found))


def _refused(path: Path, shorter: Path) -> Iterator[Any]:
    """Yield what is said of a configuration that breaks off."""
    from exabgp.configuration.configuration import Configuration

    lines = path.read_text().splitlines()
    for end in range(1, len(lines), len(lines) // 8 + 1):
        shorter.write_text('\n'.join(lines[:end]))
        configuration = Configuration([str(shorter)])
        yield 'refused', configuration.reload(), str(configuration.error).replace(shorter.stem, '')


def _become(paths: list[Path]) -> Iterator[Any]:
    """Yield what can be seen of a configuration, in an order of what ExaBGP does with it."""
    from exabgp.configuration.configuration import Configuration
    from exabgp.rib import RIB

    RIB._cache.clear()
    configuration = Configuration([str(path) for path in paths])
    yield 'loaded', configuration.reload(), str(configuration.error)
    neighbors = list(configuration.neighbors.values())
    queued = [list(neighbor.rib.outgoing.queued_changes()) for neighbor in neighbors]
    # before anything is shown: ExaBGP keeps the text of what is, and finds routes by it
    yield 'start', [_sent(neighbor) for neighbor in neighbors]
    for neighbor, several in zip(neighbors, queued):
        yield str(neighbor), [_shown(each) for each in several], [_shown(each) for each in neighbor.changes]
    if sum(len(neighbor.changes) for neighbor in neighbors) > 2000:
        return  # the rest would take as long as that of all others
    reactor = _Reactor(configuration)
    for path in paths:
        for command in _commands(path):
            yield command, reactor.run(command), [_sent(neighbor) for neighbor in neighbors]
    for neighbor in neighbors:
        outgoing = neighbor.rib.outgoing
        outgoing.resend(False)
        yield 'flush', _sent(neighbor)
        for name in list(outgoing._watchdog):
            for act in (outgoing.announce_watchdog, outgoing.withdraw_watchdog, outgoing.announce_watchdog):
                act(name)
                yield name, _sent(neighbor)
        outgoing.replace_restart([], neighbor.changes)
        yield 'restart', _sent(neighbor)
    yield 'loaded again', configuration.reload(), str(configuration.error)
    for neighbor in configuration.neighbors.values():
        previous = neighbor.previous.changes if neighbor.previous else []
        neighbor.rib.outgoing.replace_reload(previous, neighbor.changes)
        yield 'reload', _sent(neighbor)
        yield 'cached', [_shown(each) for each in neighbor.rib.outgoing.cached_changes()]
        neighbor.rib.outgoing.withdraw()
        yield 'clear', _sent(neighbor)
        yield str(neighbor), [_shown(each) for each in neighbor.changes]


def _told(tell: Callable[[], Any]) -> str:
    try:
        return str(tell())
    except Exception as raised:
        return f'{type(raised).__name__}: {raised}'


def _shown(change: Any) -> list[str]:
    nlri, attributes = change.nlri, change.attributes
    of_attributes = (attributes.json, attributes.index, attributes.as_dict)
    several = (change.extensive, change.index, *of_attributes, nlri.json, nlri.index)
    return [_told(each) for each in several] + [str(nlri.action), str(nlri.nexthop)]


def _sent(neighbor: Any) -> list[str]:
    """Return the octets of all that is to be sent, for sessions that have agreed on different things."""
    from exabgp.bgp.message import Update
    from exabgp.configuration.check import _negotiated

    sessions = []
    for kind in SESSIONS:
        negotiated = _negotiated(neighbor)
        if kind == 'two octets':
            negotiated.asn4 = False
        elif kind == 'external':
            negotiated.peer_as, negotiated.aigp = negotiated.local_as + 1, True
        sessions.append(negotiated)
    updates = list(neighbor.rib.outgoing.updates(neighbor['group-updates']))
    return [
        _told(lambda: [each.hex() for each in update.messages(negotiated)])  # noqa: B023
        for negotiated in sessions
        for update in updates
        if isinstance(update, Update)
    ]


def _commands(path: Path) -> Iterator[str]:
    """Yield the API commands in the text of the Python programs that a configuration runs."""
    for program in re.findall(r'run\s+\S*?(run/[\w.-]+\.run)', path.read_text()):
        file = path.parent / program
        if not file.exists() or 'python' not in file.read_text().split('\n', 1)[0]:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for line in node.value.splitlines():
                    if COMMAND.match(line):
                        yield ' '.join(line.split())


class _Reactor:
    """As much of ExaBGP's reactor as its API needs, which then does at once what it is told."""

    def __init__(self, configuration: Any) -> None:
        from exabgp.reactor.api import API

        self.configuration, self.processes, self.asynchronous = configuration, self, self
        self._api, self._answers = API(self), []  # type: ignore[var-annotated]

    def run(self, command: str) -> list[str]:
        self._answers = []
        _told(lambda: self._api.process(self, 'helper', command))
        return self._answers

    def peers(self, service: str = '') -> list[str]:
        return list(self.configuration.neighbors)

    def schedule(self, service: str, command: str, callback: Any) -> None:
        self._answers.append(_told(lambda: list(callback)))

    def answer_done(self, service: str) -> None:
        self._answers.append('done')

    def answer_error(self, service: str) -> None:
        self._answers.append(f'error {self._api.configuration.error}')


LOAD = """
import json, pathlib, sys
from exabgp_intern import lines
lines.start()
way, checkout, output = sys.argv[1:]
if way == 'interned':
    import exabgp_intern
    from exabgp_intern.attribute import announced
    exabgp_intern.install()
    assert announced.HOOKS.installed()
from tests.daemon.test_announced import load
load(pathlib.Path(checkout), pathlib.Path(output))
"""


@pytest.mark.skipif('EXABGP_CHECKOUT' not in os.environ, reason='EXABGP_CHECKOUT names no checkout of ExaBGP')
def test_the_configurations_of_exabgp(tmp_path: Path) -> None:
    found = []
    for way in PROGRAMS:
        output = tmp_path / way
        command = [sys.executable, '-c', LOAD, way, os.environ['EXABGP_CHECKOUT'], str(output)]
        subprocess.run(command, check=True, timeout=60, env={**os.environ, 'PYTHONPATH': str(ROOT)})
        found.append(json.loads(output.read_text()))
    stock, interned = found
    assert interned.keys() == stock.keys()
    for name, became in stock.items():
        assert interned[name] == became, name
    refused = [each for became in stock.values() for each in became if each[0] == 'refused' and not each[1]]
    commands = [each for became in stock.values() for each in became if isinstance(each[1], list) and 'done' in each[1]]
    loaded = [name for name, became in stock.items() if became[0][1] is True]
    octets = re.findall('f{32}', json.dumps(stock))
    print(f'{len(loaded)} of {len(stock)} configurations, {len(commands)} commands, {len(octets)} messages')
    assert len(loaded) > 70 and len(commands) > 100 and len(octets) > 1000 and len(refused) > 50


@pytest.mark.parametrize('source', [('configuration', '--neighbors', '2'), ('api', '--family', 'flow')])
def test_the_program_that_compares_announcers(source: tuple[str, ...]) -> None:
    command = (sys.executable, ROOT / 'scripts/inject.py', '--routes', '500', '--json', '--from', *source)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results['routes'] == 500
    assert 0 < results['interned']['bytes'] < results['stock']['bytes']
