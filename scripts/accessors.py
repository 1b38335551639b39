#!/usr/bin/env python
"""Ask decoded VPNv4 routes of ExaBGP 6 for what they hold, with ExaBGP's own classes and with the canonical ones.

Prints interned over stock: medians of pairs that run one after the other in this process.  `first` is the
first access after decoding, `again` each later one; `json() of one read` had every accessor called before.
Bytes are those that tracemalloc traces, as decoded and after every accessor was called.

Exit code: 0, or 2 if the ExaBGP that is installed is not 6.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import tracemalloc
from statistics import median
from typing import Any, Callable

import exabgp_intern
from exabgp_intern import lines
from exabgp_intern.report.synthetic import FAMILIES

VPNV4 = (1, 128)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--routes', type=int, default=20_000, metavar='N', help='%(default)s')
    parser.add_argument('--repeat', type=int, default=7, metavar='N', help='pairs, %(default)s')
    parser.add_argument('--unique', action='store_true', help='an RD and a label of its own for every route')
    options = parser.parse_args()
    if lines.nlris_hold():
        print('accessors: the NLRIs of this ExaBGP hold their qualifiers: it is not ExaBGP 6', file=sys.stderr)
        return 2
    lines.start()
    values = options.routes if options.unique else 10, options.routes if options.unique else 100
    made = FAMILIES['vpnv4'].nlri
    wire = [made(route, route % values[0], 24_000 + route % values[1]) for route in range(options.routes)]
    pairs = []
    for _ in range(options.repeat):
        exabgp_intern.uninstall()
        stock = measured(wire)
        exabgp_intern.install()
        pairs.append((stock, measured(wire)))
    print(f'{options.routes:,} routes, {values[0]:,} RDs, {values[1]:,} labels, Python {sys.version.split()[0]}')
    for name in pairs[0][0]:
        print(f'{name:26}{median(interned[name] / stock[name] for stock, interned in pairs):8.3f}')
    return 0


def measured(wire: list[bytes]) -> dict[str, float]:
    """Return seconds and octets, by name."""
    found = {'decode': min(seconds(lambda: decoded(wire)) for _ in range(3))}
    for name in ('rd', 'labels'):
        nlris = decoded(wire)
        found[f'{name}, first'] = seconds(lambda: [getattr(nlri, name) for nlri in nlris])  # noqa: B023
        found[f'{name}, again'] = min(
            seconds(lambda: [getattr(nlri, name) for nlri in nlris])  # noqa: B023
            for _ in range(3)
        )
    nlris = decoded(wire)
    found['json() of one never read'] = seconds(lambda: [nlri.json() for nlri in nlris])
    found['json() of one read'] = min(seconds(lambda: [nlri.json() for nlri in nlris]) for _ in range(3))
    found['index()'] = min(seconds(lambda: [nlri.index() for nlri in nlris]) for _ in range(3))
    del nlris
    gc.collect()
    tracemalloc.start()
    nlris = decoded(wire)
    found['bytes, as decoded'] = tracemalloc.get_traced_memory()[0]
    for nlri in nlris:
        nlri.rd, nlri.labels, nlri.json()  # noqa: B018
    found['bytes, all read'] = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return found


def decoded(wire: list[bytes]) -> list[Any]:
    # not by way of lines.decode: its own time would count on both sides
    from exabgp.bgp.message import Action
    from exabgp.bgp.message.open.capability.negotiated import Negotiated
    from exabgp.bgp.message.update.nlri import NLRI

    announce, session = Action.ANNOUNCE, Negotiated.UNSET
    return [NLRI.unpack_nlri(*VPNV4, octets, announce, False, session)[0] for octets in wire]


def seconds(run: Callable[[], Any]) -> float:
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    run()
    taken = time.perf_counter() - start
    gc.enable()
    return taken


if __name__ == '__main__':
    sys.exit(main())
