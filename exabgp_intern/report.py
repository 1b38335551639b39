"""The command `exabgp-intern report`: the same routes with ExaBGP's own classes and the canonical, side by side."""

from __future__ import annotations

import json
import os
import pickle
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any, Callable

from exabgp_intern import __version__
from exabgp_intern.installation import exabgp_version
from exabgp_intern.workload import Problem, Workload, extra

__all__ = ('report',)

WAYS = ('stock', 'interned')
REPEATS = 3
FIGURES = {
    'resident': 'resident bytes a route',
    'traced': 'traced bytes a route',
    'microseconds': 'microseconds a route',
}


def report(workload: Workload, as_json: bool = False, plot: str | None = None) -> int:
    """Measure `workload`, print the table or JSON, draw the picture `plot`; return the exit code.

    That is 1 if the two ways did not print the same, 2 if the file was truncated, else 0.  Raises Problem.
    """
    for module in ('psutil', 'rich', *(['matplotlib'] if plot else [])):
        extra(module)
    progress = extra('rich.progress').Progress(
        console=extra('rich.console').Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    )
    with progress:
        task = progress.add_task('measuring', total=len(WAYS) * (REPEATS + 2))
        figures = _figures(workload, lambda: progress.advance(task))
    if as_json:
        print(json.dumps(figures, indent=2))
    else:
        _print(figures)
    if plot:
        _draw(figures, plot)
    if workload.truncated:
        print(f'exabgp-intern: {workload.truncated}', file=sys.stderr)
    return 1 if not figures['same_output'] else 2 if workload.truncated else 0


def _figures(workload: Workload, advance: Callable[[], None]) -> dict[str, Any]:
    """Return what `--json` prints: bytes and microseconds a route held, counts, and shares of 1."""
    payload = pickle.dumps(workload)

    def measure(way: str, what: str) -> Any:
        result = _in_a_process(way, what, payload)
        advance()
        return result

    # Only what is timed needs the machine for itself.
    with ThreadPoolExecutor(len(WAYS)) as pool:
        counted = dict(zip(WAYS, pool.map(measure, WAYS, ['counted'] * 2)))
        traced = dict(zip(WAYS, pool.map(measure, WAYS, ['traced'] * 2)))
    timed: dict[str, list[Any]] = {way: [] for way in WAYS}
    for _ in range(REPEATS):
        for way in WAYS:
            timed[way].append(measure(way, 'timed'))

    stock, interned = (counted[way] for way in WAYS)
    figures: dict[str, Any] = {
        'workload': workload.name,
        'truncated': workload.truncated or None,
        'exabgp_intern': __version__,
        'exabgp': exabgp_version(),
        'python': platform.python_version(),
        'repeats': REPEATS,
        'decoded': stock['decoded'],
        'routes': stock['routes'],
        'refused': stock['refused'],
        'skipped': workload.skipped,
        'same_output': all(stock[key] == interned[key] for key in ('digest', 'decoded', 'routes', 'refused')),
    }
    for way in WAYS:
        routes = counted[way]['routes']
        figures[way] = {
            'resident': _ratio(median(run['resident'] for run in timed[way]), routes),
            'traced': _ratio(traced[way]['traced'], routes),
            'microseconds': _ratio(1e6 * min(run['seconds'] for run in timed[way]), routes),
            'digest': counted[way]['digest'],
        }
    figures['saving'] = {  # of 1, below 0 for a loss; empty if no route was held
        key: _ratio(figures['stock'][key] - figures['interned'][key], figures['stock'][key])
        for key in FIGURES
        if stock['routes'] and interned['routes']
    }
    figures['classes'] = {
        name: {
            'stock_objects': stock['objects'][name],
            'interned_objects': interned['objects'][name],
            'sharing': _ratio(interned['references'][name], interned['objects'][name]),
            'constructions': stock['constructed'][name],
            'hit_rate': _ratio(stock['constructed'][name] - interned['constructed'][name], stock['constructed'][name]),
        }
        for name in stock['objects']
    }
    return figures


def _in_a_process(way: str, what: str, payload: bytes) -> Any:
    """Return what exabgp_intern.measure prints.  Raises Problem, in its words if it has a line for the user."""
    # This path as it is: `-c` and `-m` would look for modules in the current directory before all others.
    code = f'import sys; sys.path[:] = {sys.path!r}; from exabgp_intern.measure import main; main()'
    done = subprocess.run(
        [sys.executable, '-c', code, way, what],
        input=payload,
        capture_output=True,
        env={**os.environ, 'PYTHONHASHSEED': '0'},  # or a set would print in another order each time
    )
    if done.returncode:
        last = done.stderr.decode(errors='replace').strip().rpartition('\n')[2]
        raise Problem(last if done.returncode == 2 else f'the {way} process failed ({done.returncode}): {last}')
    return json.loads(done.stdout)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _print(figures: dict[str, Any]) -> None:
    table, simple = extra('rich.table').Table, extra('rich.box').SIMPLE_HEAD
    costs = table('', *WAYS, 'saving', box=simple)
    for key, title in FIGURES.items():
        costs.add_row(
            title,
            *(_shown(figures[way][key], '{:,.1f}' if key == 'microseconds' else '{:,.0f}') for way in WAYS),
            _shown(figures['saving'].get(key), '{:.1%}'),
        )
    objects = table('objects held', *WAYS, 'sharing factor', 'hit rate', box=simple)
    for name, counts in figures['classes'].items():
        objects.add_row(
            name,
            *(f'{counts[way + "_objects"]:,}' for way in WAYS),
            _shown(counts['sharing'], '{:,.1f}'),
            _shown(counts['hit_rate'], '{:.2%}'),
        )
    for column in (*costs.columns[1:], *objects.columns[1:]):
        column.justify = 'right'
    digests = [figures[way]['digest'][:16] for way in WAYS]
    console = extra('rich.console').Console(markup=False, highlight=False, emoji=False)
    parts = (
        figures['workload'],
        f'ExaBGP {figures["exabgp"]}, Python {figures["python"]}, exabgp-intern {figures["exabgp_intern"]}',
        costs,
        objects,
        f'{figures["decoded"]:,} NLRIs decoded, {figures["routes"]:,} routes held, {figures["refused"]:,} UPDATEs that '
        f'ExaBGP refused, {figures["skipped"]:,} other messages skipped',
        f'time: best of {REPEATS}, memory: median of {REPEATS}, each in a process of its own',
        f'both print the same (sha256 {digests[0]}...)'
        if figures['same_output']
        else f'THEY DO NOT PRINT THE SAME (sha256 {digests[0]}... and {digests[1]}...)',
        *([f'TRUNCATED INPUT: {figures["truncated"]}'] if figures['truncated'] else []),
    )
    for part in parts:
        if isinstance(part, str):  # a path may have what the terminal has not
            part = part.encode(console.encoding, 'backslashreplace').decode(console.encoding)
        console.print(part, soft_wrap=isinstance(part, str))


def _shown(value: float | None, form: str) -> str:
    return '-' if value is None else form.format(value)


def _draw(figures: dict[str, Any], path: str) -> None:
    """Draw the figures as bars into `path`, whose ending says how.  Raises Problem if it cannot be written."""
    colours = ('#9aa5b1', '#1f77b4')
    figure = extra('matplotlib.figure').Figure(figsize=(12, 4), layout='constrained')
    *costs, objects = figure.subplots(1, len(FIGURES) + 1, width_ratios=[1] * len(FIGURES) + [2])
    for axes, (key, title) in zip(costs, FIGURES.items()):
        bars = axes.bar(WAYS, [figures[way][key] or 0 for way in WAYS], color=colours)
        axes.margins(y=0.1)
        axes.bar_label(bars, fmt='%.1f' if key == 'microseconds' else '%.0f')
        axes.set_title(f'{title}\nsaving {_shown(figures["saving"].get(key), "{:.0%}")}', fontsize='medium')
    objects.set_yscale('symlog')  # ten objects stand beside a hundred thousand, and none beside both
    names = [name.replace('Distinguisher', '\nDistinguisher') for name in figures['classes']]
    for shift, way, colour in zip((-0.2, 0.2), WAYS, colours):
        heights = [counts[f'{way}_objects'] for counts in figures['classes'].values()]
        objects.bar([at + shift for at in range(len(names))], heights, width=0.4, color=colour, label=way)
    objects.set_xticks(range(len(names)), names, fontsize='small')
    objects.set_title('objects held by routes', fontsize='medium', loc='left')
    objects.legend(loc='lower right', bbox_to_anchor=(1, 1), ncols=2)
    title = f'{figures["workload"]}, ExaBGP {figures["exabgp"]}, Python {figures["python"]}'
    figure.suptitle(title.encode('ascii', 'backslashreplace').decode(), parse_math=False)
    try:
        figure.savefig(path)
    except OSError as problem:
        raise Problem(f'{path}: {problem.strerror}') from problem
