"""From UPDATEs into the adj-rib-in, and from a configuration into the adj-rib-out, up to a million VPNv4 routes."""

from __future__ import annotations

import gc
import time
import tracemalloc
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.common import COLOURS, INSTALLED, Child, Table, ratios, shown, spread, start

NAME = 'Routes in the RIB'
SIZE = (11, 4.5)
VRFS, LABELS = 10, 100
SOURCES = {
    '50': 'adj-rib-in, 50 NLRIs an UPDATE',
    '1': 'adj-rib-in, 1 NLRI an UPDATE',
    'config': 'adj-rib-out, from a configuration',
}
LINES = {'50': '-', '1': '--', 'config': ':'}
# A configuration of a million routes would take minutes, and more than 5 GB.
POINTS = {
    '50': (10_000, 30_000, 100_000, 300_000, 1_000_000),
    '1': (10_000, 30_000, 100_000, 300_000, 1_000_000),
    'config': (10_000, 30_000, 100_000),
}
REPEATED = 100_000  # up to here what is slow is repeated; here memory is traced too
WAYS = ('stock', *INSTALLED)
FIGURES = ('resident', 'peak', 'seconds', 'collecting')


def run(child: Child) -> dict[str, Any]:
    """Return, by source and number of routes, figures a route of both ways and the spread of their ratios."""
    results: dict[str, Any] = {}
    for source, points in POINTS.items():
        for routes in (1000,) if child.quick else points:
            repeat = 1 if child.quick or source == 'config' else 2 if source == '1' and routes > REPEATED else 3
            if child.quick or routes == points[-1]:
                pairs, linear = _beside_a_tenth(child, repeat, source, routes)
            else:
                pairs, linear = child.pairs(repeat, ways=WAYS, source=source, routes=routes, what='timed'), None
            traced = routes == REPEATED or child.quick
            more = child.pairs(1, ways=WAYS, source=source, routes=routes, what='traced') if traced else []
            results.setdefault(source, {})[str(routes)] = {**_a_route(pairs, more, routes), 'linear': linear}
    return results


def _beside_a_tenth(child: Child, repeat: int, source: str, routes: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the pairs, and by way what a route costs over what it costs just before with a tenth of the routes."""
    few = max(routes // 10, 1000)  # of fewer the resident memory may be none
    pairs: list[dict[str, Any]] = []
    over: dict[str, Any] = {way: {'resident': [], 'seconds': []} for way in WAYS}
    for _ in range(repeat):
        pairs.append({})
        for way in WAYS:
            tenth = child(way=way, source=source, routes=few, what='timed')
            whole = pairs[-1][way] = child(way=way, source=source, routes=routes, what='timed')
            for name, series in over[way].items():
                series.append(whole[name] / routes / (tenth[name] / few))
    return pairs, {way: {name: spread(series) for name, series in each.items()} for way, each in over.items()}


def _a_route(pairs: list[dict[str, Any]], traced: list[dict[str, Any]], routes: int) -> dict[str, Any]:
    """Return by way the figures a route, and as `ratio` those of them over stock; traced memory if there is any."""
    figures: dict[str, Any] = {
        way: {name: spread([pair[way][name] / routes for pair in pairs]) for name in FIGURES} for way in WAYS
    }
    over = {way: {name: ratios(pairs, name, way) for name in ('resident', 'peak', 'seconds')} for way in INSTALLED}
    for pair in traced:
        for way in WAYS:
            figures[way].update({name: octets / routes for name, octets in pair[way].items()})
        for way in INSTALLED:
            over[way].update({name: ratios([pair], name, way) for name in pair[way]})
    return {**figures, 'ratio': over}


def measure(source: str, way: str, routes: int, what: str) -> dict[str, float]:
    """Return seconds of the processor, of them those in collections, and octets, left and at most: see `what`."""
    start(way)
    with TemporaryDirectory() as directory:
        loader = _loader(source, routes, directory)
        gc.collect()
        result = _timed(loader) if what == 'timed' else _traced(loader)
    if loader.routes() != routes:
        raise SystemExit(f'{loader.routes()} of {routes} routes were held')
    return result


def _loader(source: str, routes: int, directory: str) -> Any:
    from exabgp_intern.report.loading import loader
    from exabgp_intern.report.sources import configured
    from exabgp_intern.report.synthetic import synthetic

    if source == 'config':
        path = f'{directory}/routes.conf'
        with open(path, 'w') as file:
            file.write(_configuration(routes))
        return loader(configured(path))
    return loader(synthetic('vpnv4', routes, VRFS, LABELS, int(source)))


def _configuration(routes: int) -> str:
    lines = []
    for number in range(routes):
        high, middle, low = number.to_bytes(3, 'big')
        lines.append(
            f'route {high}.{middle}.{low}.0/24 rd 65000:{number % VRFS} label {24_000 + number % LABELS} '
            f'next-hop 192.0.2.1 extended-community [ target:65000:{number % VRFS} ];\n'
        )
    return (
        'neighbor 192.0.2.2 { router-id 192.0.2.1; local-address 192.0.2.1; local-as 65000; peer-as 65000;\n'
        'family { ipv4 mpls-vpn; }\nstatic {\n' + ''.join(lines) + '} }\n'
    )


def _timed(loader: Any) -> dict[str, float]:
    collecting = 0.0
    began = 0.0

    def watch(phase: str, _: Any) -> None:
        nonlocal began, collecting
        now = time.process_time()
        if phase == 'start':
            began = now
        else:
            collecting += now - began

    before = _memory()
    gc.callbacks.append(watch)
    first = time.process_time()
    loader.load()
    seconds = time.process_time() - first
    gc.callbacks.remove(watch)
    peak = _memory('VmHWM')
    gc.collect()
    return {
        'seconds': seconds,
        'collecting': collecting,
        'resident': _memory() - before,
        'peak': peak - before,
    }


def _traced(loader: Any) -> dict[str, float]:
    tracemalloc.start()
    loader.load()
    gc.collect()
    traced, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {'traced': traced, 'traced_peak': peak}


def _memory(field: str = 'VmRSS') -> int:
    """Return octets of resident memory, with `VmHWM` the most there ever were, of this process."""
    # not getrusage: what it calls the most starts from that of the parent
    with open('/proc/self/status') as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))


def tables(results: dict[str, Any]) -> list[Table]:
    """Return one table of all ways, and one of what a route costs over what it costs with a tenth of the routes."""
    rows = []
    for source, points in results.items():
        for routes, of in points.items():
            for way in WAYS:
                one = of[way]
                rows.append(
                    (
                        SOURCES[source],
                        f'{int(routes):,}',
                        way,
                        *(shown(one[name], ',.0f') for name in ('resident', 'peak')),
                        *(f'{one[name]:,.0f}' if name in one else '-' for name in ('traced', 'traced_peak')),
                        *(
                            shown({key: 1e6 * value for key, value in one[name].items()}, '.1f')
                            for name in ('seconds', 'collecting')
                        ),
                    )
                )
            for way, ratio in of['ratio'].items():
                over = (shown(ratio.get(name)) for name in ('resident', 'peak', 'traced', 'traced_peak', 'seconds'))
                rows.append((SOURCES[source], f'{int(routes):,}', f'{way} over stock', *over, ''))
    columns = ('', 'routes', 'way', 'resident bytes', 'at most', 'traced bytes', 'at most', 'µs', 'µs in collections')
    return [
        Table('A route in the RIB', columns, rows),
        Table('The cost of a route over its cost with a tenth of the routes', LINEAR, _linear(results)),
    ]


LINEAR = ('', 'routes', 'way', 'resident bytes a route', 'time a route')


def _linear(results: dict[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for source, points in results.items():
        last, most = list(points.items())[-1]
        for way, over in most['linear'].items():
            rows.append((SOURCES[source], f'{int(last):,}', way, *(shown(over[name], '.3f') for name in over)))
    return rows


def draw(results: dict[str, Any], figure: Any) -> None:
    """Draw resident memory and time against the number of routes."""
    for axes, name, unit, title in zip(
        figure.subplots(1, 2), ('resident', 'seconds'), (2**20, 1), ('resident memory, MiB', 'processor time, s')
    ):
        for source, points in results.items():
            for way in WAYS:
                routes = [int(number) for number in points]
                totals = [number * points[str(number)][way][name]['median'] / unit for number in routes]
                axes.plot(
                    routes,
                    totals,
                    LINES[source],
                    marker='o',
                    markersize=4,
                    color=COLOURS[way],
                    label=f'{way}, {SOURCES[source]}',
                )
        axes.set_xlabel('VPNv4 routes')
        axes.set_ylabel(title)
        axes.xaxis.set_major_formatter('{x:,.0f}')
        axes.yaxis.set_major_formatter('{x:,.0f}')
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc='outside upper center', ncols=3, fontsize='small')
