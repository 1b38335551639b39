"""What a report tells: each way runs in processes of its own, and this puts their figures together."""

from __future__ import annotations

import json
import os
import pickle
import platform
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any, Callable

from exabgp_intern import __version__
from exabgp_intern.installation import exabgp_version
from exabgp_intern.report.workload import Problem, Workload

__all__ = ('FIGURES', 'PROCESSES', 'REPEATS', 'WAYS', 'measured')

WAYS = ('stock', 'interned')
REPEATS = 3
FIGURES = {
    'resident': 'resident bytes a route',
    'peak': 'peak resident bytes a route',
    'traced': 'traced bytes a route',
    'microseconds': 'microseconds a route',
}
PROCESSES = len(WAYS) * (REPEATS + 2)  # that a report runs


def measured(workload: Workload, advance: Callable[[], None]) -> dict[str, Any]:
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
    if not any(counted[way]['routes'] for way in WAYS):
        raise Problem(_nothing_loaded(workload, counted['stock']))
    timed: dict[str, list[Any]] = {way: [] for way in WAYS}
    for _ in range(REPEATS):
        for way in WAYS:
            timed[way].append(measure(way, 'timed'))

    stock, interned = (counted[way] for way in WAYS)
    figures: dict[str, Any] = {
        'workload': workload.name,
        'source': 'commands' if workload.commands else 'configuration' if workload.config else 'updates',
        'damaged': workload.damaged or None,
        'exabgp_intern': __version__,
        'exabgp': exabgp_version(),
        'python': platform.python_version(),
        'repeats': REPEATS,
        'decoded': stock['decoded'],
        'routes': stock['routes'],
        'refused': sum(stock['refused'].values()),
        'refusals': stock['refused'],
        'skipped': sum(workload.skipped.values()),
        'skipped_kinds': dict(Counter(workload.skipped).most_common()),
        'zero_next_hops': workload.zero_next_hops,
        'advice': stock['advice'] or None,
        'same_output': all(stock[key] == interned[key] for key in ('digest', 'decoded', 'routes'))
        and sum(stock['refused'].values()) == sum(interned['refused'].values()),
    }
    for way in WAYS:
        routes = counted[way]['routes']
        figures[way] = {
            'resident': _ratio(median(run['resident'] for run in timed[way]), routes),
            'peak': _ratio(median(run['peak'] for run in timed[way]), routes) if timed[way][0]['peak'] else None,
            'traced': _ratio(traced[way]['traced'], routes),
            'microseconds': _ratio(1e6 * min(run['seconds'] for run in timed[way]), routes),
            'digest': counted[way]['digest'],
        }
    figures['saving'] = {  # of 1, below 0 for a loss; empty if no route was held
        key: _ratio(figures['stock'][key] - figures['interned'][key], figures['stock'][key])
        for key in FIGURES
        if stock['routes'] and interned['routes'] and figures['stock'][key] is not None
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


def _nothing_loaded(workload: Workload, counted: dict[str, Any]) -> str:
    """Return why there is no route, in one line."""
    refused = sum(counted['refused'].values())
    of = f'{len(workload.commands):,} commands' if workload.commands else f'{len(workload.updates):,} UPDATEs'
    reason = f': ExaBGP refused {refused:,} of {of}, the first with: {counted["first_refusal"]}' if refused else ''
    held = f', and none is held of {counted["decoded"]:,}' if counted['decoded'] else ''
    parts = workload.damaged, f'{workload.name}: no route was loaded{held}{reason}', counted['advice']
    return '; '.join(part for part in parts if part)


def _in_a_process(way: str, what: str, payload: bytes) -> Any:
    """Return what exabgp_intern.report.measure prints.  Raises Problem, in its words if it has a line for the user."""
    # This path as it is: `-c` and `-m` would look for modules in the current directory before all others.
    code = f'import sys; sys.path[:] = {sys.path!r}; from exabgp_intern.report.measure import main; main()'
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
