#!/usr/bin/env python
"""Announce routes from a stock ExaBGP and from an interned one, and compare memory and time of the whole process.

Each announcer is a process of its own, `exabgp` or `exabgp-intern run`, on 127.0.0.1 and a free port, with ExaBGP's
settings as they come.  Its routes come from its configuration (--from configuration: a template that all neighbors
inherit, with `next-hop self`), or from a process that prints API commands (--from api).  They have 50 different sets of
attributes, and each neighbor is sent all of them.

Bytes are the resident memory of the process when the last neighbor has the last route, less what the same announcer has
with one route only.  Seconds are the CPU time that it has taken until then.  Stock and interned take turns, and the
median of the ratios counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Sequence

import psutil
from replay import WAYS
from speaker import connected, free_port

from exabgp_intern.installation import exabgp_version

ATTRIBUTES = (
    'next-hop {hop} origin igp as-path [ 65000 65001 {path} ] med {set} local-preference 100 '
    'community [ 65000:{set} 65000:{next} ] extended-community [ target:65000:{set} ]'
)
# A route of each family, as ExaBGP's API and its static section have it; and the family as ExaBGP and BGP name it.
ROUTES = {
    'ipv4': ('route {prefix}/32 ' + ATTRIBUTES, 'ipv4 unicast', (1, 1)),
    'vpnv4': ('route {prefix}/32 rd 65000:{rd} label {label} ' + ATTRIBUTES, 'ipv4 mpls-vpn', (1, 128)),
    'flow': (
        'flow route {{ match {{ destination {prefix}/32; protocol tcp; destination-port ={port}; }} '
        'then {{ rate-limit {rate}; community [ 65000:{set} ]; }} }}',
        'ipv4 flow',
        (1, 133),
    ),
}
SETS = 50
LAST = '203.0.113.255'  # the prefix of the last route, with attributes of its own, so that it is sent last
NEIGHBORS = 127, 0, 0, 2  # the address of the first


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--from', dest='source', choices=('configuration', 'api'), default='configuration', help='%(default)s'
    )
    parser.add_argument('--family', choices=ROUTES, default='ipv4', help='%(default)s')
    parser.add_argument('--routes', type=int, default=20_000, metavar='N', help='%(default)s')
    parser.add_argument('--neighbors', type=int, default=1, metavar='N', help='%(default)s')
    parser.add_argument('--repeat', type=int, default=1, metavar='N', help='pairs of processes, %(default)s')
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    arguments = parser.parse_args()
    if arguments.source == 'configuration' and arguments.family == 'flow':
        parser.error('flow routes are for --from api')
    what = arguments.source, arguments.family, arguments.neighbors
    turns = []
    for _ in range(arguments.repeat):
        turn = {}
        for way, command in WAYS.items():
            base, full = (announced(command, *what, routes) for routes in (0, arguments.routes))
            turn[way] = {
                'bytes': full['bytes'] - base['bytes'],
                'seconds': full['seconds'] - base['seconds'],
                'bytes_base': base['bytes'],
            }
        turns.append(turn)
    results = {
        'exabgp': exabgp_version(),
        'python': platform.python_version(),
        **{name: getattr(arguments, name) for name in ('source', 'family', 'routes', 'neighbors')},
        **{way: {name: median(turn[way][name] for turn in turns) for name in turns[0][way]} for way in WAYS},
        **{
            name: median(turn['interned'][name] / turn['stock'][name] for turn in turns)
            for name in ('bytes', 'seconds')
        },
    }
    if arguments.json:
        print(json.dumps(results, indent=2))
        return 0
    print(
        f'{arguments.routes:,} {arguments.family} routes of the {arguments.source} to {arguments.neighbors} neighbors, '
        f'ExaBGP {results["exabgp"]}, Python {results["python"]}'
    )
    print(f'{"":24}{"stock":>12}{"interned":>12}{"ratio":>9}')
    each = arguments.routes * arguments.neighbors
    for title, name, unit in (
        ('MB over the base', 'bytes', 1e6),
        ('bytes a route', 'bytes', each),
        ('CPU seconds', 'seconds', 1),
    ):
        row = ''.join(f'{results[way][name] / unit:12,.1f}' for way in WAYS)
        print(f'{title:24}{row}{results[name]:9.3f}')
    return 0


def route(family: str, number: int, source: str) -> str:
    """Return the route with this number, without the word before it."""
    one = number % SETS
    return ROUTES[family][0].format(
        prefix=f'10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}',
        hop='self' if source == 'configuration' else f'192.0.2.{number % 10 + 1}',
        path=64512 + one,
        set=one,
        next=one + 1,
        rd=number % 10,
        label=number % 100 + 16,
        port=number % 1000 + 1,
        rate=9600 * (number % 10),
    )


def announced(command: Sequence[str], source: str, family: str, neighbors: int, routes: int) -> dict[str, float]:
    """Start an announcer of `routes` routes and the last, and return what it took, in bytes and seconds."""
    several = [route(family, number, source) for number in range(routes)]
    last = ROUTES['ipv4'][0].format(prefix=LAST, hop='192.0.2.1', path=1, set=99, next=1)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        port = free_port()
        (directory / 'exabgp.conf').write_text(configuration(directory, source, family, neighbors, [*several, last]))
        settings = {
            'exabgp_daemon_user': 'root' if os.getuid() == 0 else 'nobody',
            'exabgp_api_cli': 'false',
            'exabgp_api_ack': 'false',
            'exabgp_tcp_bind': '127.0.0.1',
            'exabgp_tcp_port': str(port),
        }
        process = subprocess.Popen(
            (*command, str(directory / 'exabgp.conf')), env={**os.environ, **settings}, stderr=subprocess.DEVNULL
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        families = ((1, 1), ROUTES[family][2])
        speakers = [stack.enter_context(connected(port, families, address, 1200)) for address in addresses(neighbors)]
        if source == 'api':
            commands = ''.join(f'announce {each}\n' for each in (*several, last))
            (directory / 'commands').write_text(commands)
            (directory / 'go').touch()
        octets = bytes([32, *map(int, LAST.split('.'))])
        for speaker in speakers:
            speaker.hear_until(octets)
        me = psutil.Process(process.pid)
        return {'bytes': me.memory_info().rss, 'seconds': sum(me.cpu_times()[:2])}


def addresses(neighbors: int) -> list[str]:
    *network, first = NEIGHBORS
    return ['.'.join(map(str, (*network, first + number))) for number in range(neighbors)]


def configuration(directory: Path, source: str, family: str, neighbors: int, routes: Sequence[str]) -> str:
    """Return the configuration of an announcer; its process waits for the file `go`, and prints the file `commands`."""
    families = f'ipv4 unicast; {ROUTES[family][1]};' if family != 'ipv4' else 'ipv4 unicast;'
    settings = f'local-as 65000; peer-as 65000; passive true; adj-rib-out true; family {{ {families} }}'
    static = api = process = ''
    if source == 'configuration':
        static = 'static {\n' + ''.join(f'{each};\n' for each in routes) + '}'
    else:
        helper = directory / 'helper'
        wait = f'while [ ! -e {directory}/go ]; do sleep 0.1; done'
        helper.write_text(f'#!/bin/sh\n{wait}\ncat {directory}/commands\nexec sleep 86400\n')
        helper.chmod(0o755)
        process = f'process helper {{ run {helper}; encoder json; }}\n'
        api = 'api { processes [ helper ]; }'
    each = ''.join(
        f'neighbor {address} {{ inherit every; router-id 127.0.0.1; local-address 127.0.0.1; {api} }}\n'
        for address in addresses(neighbors)
    )
    return f'{process}template {{ neighbor every {{ {settings}\n{static} }} }}\n{each}'


if __name__ == '__main__':
    sys.exit(main())
