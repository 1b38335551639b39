#!/usr/bin/env python
"""Decode routes of each family with ExaBGP's own classes and with the canonical ones, and compare.

Bytes are those that tracemalloc traces for the decoded NLRIs.  Times are ratios: each repetition runs
both ways in processes of their own, one after the other, and the median of the ratios counts.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import subprocess
import sys
import time
import tracemalloc
from statistics import median
from typing import Any, Callable

from exabgp_intern.workload import FAMILIES

# How a route of each kind is made, from its number; the table of the README names them so.
KINDS: dict[str, tuple[str, Callable[[int], tuple[int, int, int]]]] = {
    'VPNv4': ('vpnv4', lambda number: (number, number % 10, 24_000 + number % 100)),
    'labelled': ('labelled', lambda number: (number, 0, 24_000 + number % 100)),
    'EVPN MAC/IP': ('evpn', lambda number: (number, number % 10, 24_000 + number % 100)),
    'ADD-PATH, 16 ids': ('addpath', lambda number: (number, 0, 0)),
    'VPNv4, all unique': ('vpnv4', lambda number: (number, number, 24_000 + number)),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--routes', type=int, default=20_000, metavar='N', help='%(default)s')
    parser.add_argument('--repeat', type=int, default=7, metavar='N', help='pairs of processes, %(default)s')
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.add_argument('--measure', nargs=2, metavar=('KIND', 'WAY'), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measured(*arguments.measure, arguments.routes)))
        return 0
    results = {kind: compared(kind, arguments.routes, arguments.repeat) for kind in KINDS}
    if arguments.json:
        print(json.dumps(results, indent=2))
        return 0
    from exabgp_intern.installation import exabgp_version

    print(f'{arguments.routes:,} routes, ExaBGP {exabgp_version()}, Python {platform.python_version()}')
    print(f'{"":18}{"bytes a route":>20}{"interned over stock":>36}')
    print(f'{"":18}{"stock":>10}{"interned":>10}{"bytes":>9}{"decode":>9}{"json()":>9}{"index()":>9}')
    for kind, row in results.items():
        ratios = ''.join(f'{row[name]:9.3f}' for name in ('bytes', 'decode', 'json', 'index'))
        print(f'{kind:18}{row["stock"]:10.0f}{row["interned"]:10.0f}{ratios}')
    return 0


def compared(kind: str, routes: int, repeat: int) -> dict[str, float]:
    """Return bytes a route of both ways, and the ratios interned over stock."""
    pairs = [[_in_a_process(kind, way, routes) for way in ('stock', 'interned')] for _ in range(repeat)]
    ratios = {name: median(pair[1][name] / pair[0][name] for pair in pairs) for name in pairs[0][0]}
    return {'stock': pairs[0][0]['bytes'] / routes, 'interned': pairs[0][1]['bytes'] / routes, **ratios}


def _in_a_process(kind: str, way: str, routes: int) -> dict[str, float]:
    command = [sys.executable, __file__, '--routes', str(routes), '--measure', kind, way]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=300).stdout)
    return result


def measured(kind: str, way: str, routes: int) -> dict[str, float]:
    """Return the octets that the decoded routes hold, and the least seconds of 5 for each of the rest."""
    from exabgp.bgp.message import Action
    from exabgp.bgp.message.update.nlri import NLRI
    from exabgp.environment import getenv
    from exabgp.logger import log
    from exabgp.protocol.family import AFI, SAFI

    import exabgp_intern

    log.init(getenv())
    if way == 'interned':
        exabgp_intern.install()
    name, numbers = KINDS[kind]
    family = FAMILIES[name]
    afi, safi = AFI.create(family.afi), SAFI.create(family.safi)
    wire = [family.nlri(*numbers(number)) for number in range(routes)]

    def decode() -> list[Any]:
        decoded = [None] * routes
        for at, octets in enumerate(wire):
            decoded[at] = NLRI.unpack_nlri(afi, safi, octets, Action.ANNOUNCE, name == 'addpath')[0]
        return decoded

    decode()  # for what is allocated once
    gc.collect()
    tracemalloc.start()
    nlris = decode()
    traced = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del nlris
    return {
        'bytes': traced,
        'decode': min(_seconds(decode) for _ in range(5)),
        **{
            look: min(
                _seconds(lambda look=look, nlris=nlris: [getattr(nlri, look)() for nlri in nlris]) for _ in range(5)
            )
            for nlris in [decode()]
            for look in ('json', 'index')
        },
    }


def _seconds(run: Callable[[], Any]) -> float:
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == '__main__':
    sys.exit(main())
