"""Decode routes of each family with ExaBGP's own classes and with the canonical ones.

Bytes are those that tracemalloc traces for the decoded NLRIs.  Times are ratios: each repetition runs both ways in
processes of their own, one after the other.
"""

from __future__ import annotations

import gc
import platform
import time
import tracemalloc
from typing import Any, Callable

from benchmarks.common import COLOURS, WAYS, Child, Table, bars, decoder, drawn, ratios, shown, spread, start
from exabgp_intern.report.synthetic import FAMILIES

NAME = 'Decoding'
SIZE = (11, 4.5)
# How a route of each kind is made, from its number.
KINDS: dict[str, tuple[str, Callable[[int], tuple[int, int, int]]]] = {
    'VPNv4, 10 RDs, 100 labels': ('vpnv4', lambda number: (number, number % 10, 24_000 + number % 100)),
    'labelled unicast, 100 labels': ('labelled', lambda number: (number, 0, 24_000 + number % 100)),
    'EVPN MAC/IP': ('evpn', lambda number: (number, number % 10, 24_000 + number % 100)),
    'IPv4 unicast, ADD-PATH, 16 ids': ('addpath', lambda number: (number, 0, 0)),
    'VPNv4, every value unique': ('vpnv4', lambda number: (number, number, 24_000 + number)),
}
TIMES = {'decode': 'decode', 'json': '`json()`', 'index': '`index()`'}


def run(child: Child) -> dict[str, Any]:
    """Return by Python, by kind: bytes a route of both ways, and the spread of the ratios interned over stock."""
    routes, repeat = (500, 1) if child.quick else (20_000, 5)
    results: dict[str, Any] = {}
    for python in child.pythons:
        for kind in KINDS:
            pairs = child.pairs(repeat, python, kind=kind, routes=routes)
            results.setdefault(pairs[0]['stock']['python'], {})[kind] = {
                'routes': routes,
                **{way: {'bytes': spread([pair[way]['bytes'] / routes for pair in pairs])} for way in WAYS},
                **{name: ratios(pairs, name) for name in ('bytes', 'peak', *TIMES)},
                'microseconds': {way: spread([1e6 * pair[way]['decode'] / routes for pair in pairs]) for way in WAYS},
            }
    return results


def measure(kind: str, way: str, routes: int) -> dict[str, Any]:
    """Return the octets that the decoded routes hold, and at most held, and the least seconds of 3 for the rest."""
    start(way)
    name, numbers = KINDS[kind]
    family = FAMILIES[name]
    decoded_from = decoder(family.afi, family.safi, name == 'addpath')
    wire = [family.nlri(*numbers(number)) for number in range(routes)]

    def decode() -> list[Any]:
        decoded = [None] * routes
        for at, octets in enumerate(wire):
            decoded[at] = decoded_from(octets)
        return decoded

    decode()  # for what is allocated once
    gc.collect()
    tracemalloc.start()
    nlris = decode()
    current, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del nlris
    result = {'bytes': current, 'peak': peak, 'decode': _least(decode), 'python': platform.python_version()}
    nlris = decode()
    for look in ('json', 'index'):
        result[look] = _least(lambda look=look: [getattr(nlri, look)() for nlri in nlris])
    return result


def _least(run: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(3):
        gc.collect()
        before = time.process_time()
        run()
        seconds.append(time.process_time() - before)
    return min(seconds)


def tables(results: dict[str, Any]) -> list[Table]:
    """Return one table, a column for each Python."""
    pythons = list(results)
    rows = []
    for kind in KINDS:
        of = [results[python][kind] for python in pythons]
        for way in WAYS:
            rows.append((kind, f'{way}, bytes a route', *(shown(one[way]['bytes'], '.0f') for one in of)))
        rows.append((kind, 'bytes', *(shown(one['bytes'], '.3f') for one in of)))
        for name, title in TIMES.items():
            rows.append((kind, title, *(shown(one[name]) for one in of)))
    routes = results[pythons[0]][next(iter(KINDS))]['routes']
    return [Table(f'Decoding of {routes:,} NLRIs, interned over stock', ('family', 'measured', *pythons), rows)]


def draw(results: dict[str, Any], figure: Any) -> None:
    """Draw bytes a route of both ways, and the time of decoding over stock for each Python."""
    python = drawn(results)
    left, right = figure.subplots(1, 2, sharey=True)
    for shift, way in zip((-0.2, 0.2), WAYS):
        beside = left.barh(
            [at + shift for at in range(len(KINDS))],
            [of[way]['bytes']['median'] for of in results[python].values()],
            height=0.4,
            color=COLOURS[way],
            label=way,
        )
        left.bar_label(beside, fmt='%.0f', padding=2, fontsize='small')
    left.set_yticks(range(len(KINDS)), KINDS)
    left.invert_yaxis()
    left.margins(x=0.15)
    left.set_xlabel(f'bytes a decoded route, CPython {python}')
    left.legend(loc='upper right')
    height = 0.8 / len(results)
    for number, (other, kinds) in enumerate(results.items()):
        middles, errors = bars([of['decode'] for of in kinds.values()])
        right.barh(
            [at - 0.4 + height * (number + 0.5) for at in range(len(KINDS))],
            middles,
            xerr=errors,
            height=height,
            color=str(0.75 - 0.5 * number / max(1, len(results) - 1)),
            ecolor='#d62728',
            label=f'CPython {other}',
        )
    right.axvline(1, color='black', linewidth=0.8)
    right.set_xlabel('time of decoding, interned over stock')
    right.legend(loc='upper left', bbox_to_anchor=(1, 1), fontsize='small')
