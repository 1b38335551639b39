"""The example of the plan that this package came from: what it foresaw, and what there is.

An LRU of values was to save 98 % of the octets that 100,000 VPNv4 routes in 10 VRFs with 100 labels hold in route
distinguishers and labels.  What the objects of a class own is here the traced memory that goes when they go.
"""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

from benchmarks.common import WAYS, Child, Table, decoder, start
from exabgp_intern.report.synthetic import FAMILIES

NAME = 'The example of the plan'
SIZE = None
VRFS, LABELS = 10, 100
# The attribute of a route, and the octets foreseen without and with.
FORESEEN = {'RouteDistinguisher': ('rd', 4_100_000, 20_000), 'Labels': ('labels', 3_600_000, 100_000)}


def run(child: Child) -> dict[str, Any]:
    """Return by way what measure() returns."""
    return {way: child(way=way, routes=1000 if child.quick else 100_000) for way in WAYS}


def measure(way: str, routes: int) -> dict[str, Any]:
    """Return the octets of all decoded NLRIs, and those that go with the objects of each class."""
    start(way)
    family = FAMILIES['vpnv4']
    decoded_from = decoder(family.afi, family.safi, False)
    wire = [family.nlri(number, number % VRFS, 24_000 + number % LABELS) for number in range(routes)]
    nlris: list[Any] = [None] * routes
    gc.collect()
    tracemalloc.start()
    for at, octets in enumerate(wire):
        nlris[at] = decoded_from(octets)
    del octets
    result: dict[str, Any] = {'routes': routes, 'all': tracemalloc.get_traced_memory()[0], 'objects': {}, 'octets': {}}
    for name, (attribute, _, _) in FORESEEN.items():
        result['objects'][name] = len({id(getattr(nlri, attribute)) for nlri in nlris})
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for nlri in nlris:
            setattr(nlri, attribute, None)
        result['octets'][name] = before - tracemalloc.get_traced_memory()[0]
    return result


def tables(results: dict[str, Any]) -> list[Table]:
    """Return one table, a row for each class, one for both and one for the whole NLRIs."""
    rows = []
    sums = [0] * 4
    for name, (_, without, with_lru) in FORESEEN.items():
        octets = [without, with_lru, *(results[way]['octets'][name] for way in WAYS)]
        sums = [before + one for before, one in zip(sums, octets)]
        rows.append((f'{name}, {results["interned"]["objects"][name]:,} values', *_row(*octets)))
    rows.append(('both', *_row(*sums)))
    rows.append(('whole NLRIs', '-', '-', '-', *_row(0, 1, *(results[way]['all'] for way in WAYS))[3:]))
    columns = ('bytes of', 'foreseen: without', 'with', 'saved', 'measured: stock', 'interned', 'saved')
    return [Table(f'{results["stock"]["routes"]:,} VPNv4 routes, {VRFS} VRFs, {LABELS} labels', columns, rows)]


def _row(without: int, with_lru: int, stock: int, interned: int) -> list[str]:
    foreseen = 1 - with_lru / without if without else 0
    return [
        f'{without:,}',
        f'{with_lru:,}',
        f'{foreseen:.1%}',
        f'{stock:,}',
        f'{interned:,}',
        f'{1 - interned / stock:.2%}',
    ]
