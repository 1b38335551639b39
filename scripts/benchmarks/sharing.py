"""How many routes a value must have for interning to pay: decoded NLRIs with one class interned, all else the same.

The values of the class occur `factor` times each; everything else that an NLRI holds is the same in all routes.
"""

from __future__ import annotations

import gc
import tracemalloc
from struct import pack
from typing import Any, Callable

from benchmarks.common import WAYS, Child, Table, decoder, start
from exabgp_intern.report.synthetic import FAMILIES

NAME = 'Sharing'
SIZE = (9, 5)
FACTORS = (1, 2, 4, 10, 100, 1000)


def _evpn(route: int, segment: int = 0, tag: int = 1, mac: int = 1) -> bytes:
    """Return a MAC/IP advertisement, RFC 7432 section 7.2, with a Labels that all routes have in common."""
    value = bytes(8) + segment.to_bytes(10, 'big') + pack('!IB', tag, 48) + mac.to_bytes(6, 'big')
    value += pack('!BI', 32, route) + b'\0\0\x11'
    return pack('!BB', 2, len(value)) + value


# The family whose NLRIs hold the class, and an NLRI of it from the numbers of the route and of the value.
NLRIS: dict[str, tuple[str, Callable[[int, int], bytes]]] = {
    'RouteDistinguisher': ('vpnv4', lambda route, value: FAMILIES['vpnv4'].nlri(route, value, 1)),
    'Labels': ('labelled', lambda route, value: FAMILIES['labelled'].nlri(route, 0, value + 16)),
    'PathInfo': ('addpath', lambda route, value: pack('!IB3s', value + 1, 24, route.to_bytes(3, 'big'))),
    'ESI': ('evpn', lambda route, value: _evpn(route, segment=value)),
    'EthernetTag': ('evpn', lambda route, value: _evpn(route, tag=value)),
    'MAC': ('evpn', lambda route, value: _evpn(route, mac=value)),
}


def run(child: Child) -> dict[str, Any]:
    """Return, by class: bytes a route of both ways by factor, and the factor from which interning pays."""
    routes = 1000 if child.quick else 20_000
    results = {}
    for name in NLRIS:
        points = {}
        for factor in FACTORS[::4] if child.quick else FACTORS:
            pair = {way: child(way=way, name=name, routes=routes, factor=factor)['bytes'] / routes for way in WAYS}
            points[str(factor)] = {**pair, 'ratio': pair['interned'] / pair['stock']}
        results[name] = {'routes': routes, 'points': points, 'break_even': _break_even(points)}
    return results


def _break_even(points: dict[str, dict[str, float]]) -> float | None:
    """Return the factor from which interning pays, between two points by 1 / factor, in which bytes are linear."""
    above = [(1 / int(factor), of['ratio']) for factor, of in points.items()]
    if above[0][1] <= 1:
        return 1.0
    for (before, over), (after, under) in zip(above, above[1:]):
        if under <= 1:
            return 1 / (before + (after - before) * (over - 1) / (over - under))
    return None


def measure(name: str, way: str, routes: int, factor: int) -> dict[str, Any]:
    """Return the octets that the decoded NLRIs hold, with the class `name` alone interned or none."""
    start(way, [name])
    family, nlri = NLRIS[name]
    decoded_from = decoder(FAMILIES[family].afi, FAMILIES[family].safi, family == 'addpath')
    wire = [nlri(route, route // factor) for route in range(routes)]
    warm = [decoded_from(octets) for octets in wire[:10]]  # for what is allocated once
    del warm
    nlris: list[Any] = [None] * routes
    gc.collect()
    tracemalloc.start()
    for at, octets in enumerate(wire):
        nlris[at] = decoded_from(octets)
    return {'bytes': tracemalloc.get_traced_memory()[0]}


def tables(results: dict[str, Any]) -> list[Table]:
    """Return one table, a column for each factor."""
    factors = list(next(iter(results.values()))['points'])
    rows = [
        (
            name,
            NLRIS[name][0],
            *(f'{of["points"][factor]["ratio"]:.3f}' for factor in factors),
            'never' if of['break_even'] is None else f'{of["break_even"]:.1f}',
        )
        for name, of in results.items()
    ]
    columns = ('class', 'family', *(f'{int(factor):,}' for factor in factors), 'pays from')
    return [Table('Bytes a route by routes a value, interned over stock', columns, rows)]


def draw(results: dict[str, Any], figure: Any) -> None:
    """Draw bytes a route over stock against the sharing factor, with the break-even of each class."""
    axes = figure.subplots()
    for number, (name, of) in enumerate(results.items()):
        colour = f'C{number}'
        ratios = [point['ratio'] for point in of['points'].values()]
        from_where = 'never' if of['break_even'] is None else f'from {of["break_even"]:.1f}'
        axes.plot(
            [int(factor) for factor in of['points']],
            ratios,
            'o-',
            markersize=4,
            color=colour,
            label=f'{name}: pays {from_where}',
        )
    axes.axhline(1, color='black', linewidth=0.8)
    axes.set_xscale('log')
    axes.set_xticks(FACTORS, [f'{factor:,}' for factor in FACTORS])
    axes.minorticks_off()
    axes.set_xlabel('sharing factor: routes a value')
    axes.set_ylabel('bytes a decoded route, interned over stock')
    axes.grid(alpha=0.3)
    axes.legend()
