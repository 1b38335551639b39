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
from exabgp_intern.report.measure import SAMPLE
from exabgp_intern.report.workload import Problem, Workload, some

__all__ = ('FEW', 'FIGURES', 'WAYS', 'measured')

WAYS = ('stock', 'interned')
FIGURES = {
    'resident': 'resident bytes a route',
    'peak': 'peak resident bytes a route',
    'traced': 'traced bytes a route',
    'microseconds': 'microseconds a route',
}
REPEATS = 3  # of what is timed
LONG = 1  # seconds: what takes longer is timed twice
FEW = 5_000  # routes: resident memory grows by pages, and by more of them at once
AT_ONCE = 8 << 20  # octets of a workload: two processes at once load no more, or they would take too much memory


def measured(workload: Workload, repeat: int | None, advance: Callable[[int], None]) -> dict[str, Any]:
    """Return what `--json` prints: bytes a route held, microseconds a route decoded, counts, and shares of 1.

    Each way is timed `repeat` times.  `advance` is called after each load, with how many there will be in all.
    """
    payload = pickle.dumps(workload)
    configured = bool(workload.config and not workload.commands)
    wanted, once = repeat or REPEATS, 2  # once counted, once traced

    def measure(way: str, what: str) -> Any:
        result = _in_a_process(way, what, payload)
        advance(len(WAYS) * (once + wanted))
        return result

    # Only what is timed needs the machine for itself.
    with ThreadPoolExecutor(1 if len(payload) > AT_ONCE else len(WAYS)) as pool:
        counts = [pool.submit(measure, way, 'counted') for way in WAYS]
        traces = []
        try:
            # a configuration is loaded whole, and may take too long
            if not configured or counts[0].result()['routes'] <= SAMPLE:
                traces = [pool.submit(measure, way, 'traced') for way in WAYS]
            else:
                once = 1
            counted, traced = ({way: run.result() for way, run in zip(WAYS, runs)} for runs in (counts, traces))
        except BaseException:
            for run in (*counts, *traces):
                run.cancel()
            raise
    if not any(counted[way]['routes'] for way in WAYS):
        raise Problem(_nothing_loaded(workload, counted['stock']))
    timed: dict[str, list[Any]] = {way: [] for way in WAYS}
    while len(timed[WAYS[-1]]) < wanted:
        for way in WAYS:
            timed[way].append(measure(way, 'timed'))
        if not repeat and max(runs[0]['seconds'] for runs in timed.values()) > LONG:
            wanted = REPEATS - 1
    costs = {way: _costs(workload, counted[way], traced.get(way), timed[way]) for way in WAYS}
    stock, interned = (counted[way] for way in WAYS)
    return {
        'workload': workload.name,
        'source': 'commands' if workload.commands else 'configuration' if workload.config else 'updates',
        'damaged': workload.damaged or None,
        'exabgp_intern': __version__,
        'exabgp': exabgp_version(),
        'python': platform.python_version(),
        'repeats': wanted,
        'decoded': stock['decoded'],
        'routes': stock['routes'],
        'traced_routes': traced['stock']['routes'] if traced else None,
        'traced_all': traced['stock']['all'] if traced else None,
        'refused': sum(stock['refused'].values()),
        'refusals': stock['refused'],
        'skipped': sum(workload.skipped.values()),
        'skipped_kinds': dict(Counter(workload.skipped).most_common()),
        'zero_next_hops': workload.zero_next_hops,
        'advice': stock['advice'] or None,
        'same_output': all(stock[key] == interned[key] for key in ('digest', 'decoded', 'routes'))
        and sum(stock['refused'].values()) == sum(interned['refused'].values()),
        **costs,
        'saving': {key: _saving(key, wanted, *costs.values()) for key in FIGURES},
        'classes': {
            name: {
                'stock_objects': stock['objects'][name],
                'interned_objects': interned['objects'][name],
                'sharing': _ratio(interned['references'][name], interned['objects'][name]),
                'constructions': made,
                'hit_rate': _ratio(made - interned['constructed'][name], made),
            }
            for name, made in stock['constructed'].items()
        },
    }


def _costs(workload: Workload, counted: Any, traced: Any, timed: list[Any]) -> dict[str, Any]:
    """Return what a route costs in one way.  What was not measured, or says nothing, is None."""
    routes = counted['routes']
    many = routes if routes >= FEW else 0
    announced = bool(workload.config or workload.commands)
    return {
        'resident': _ratio(median(run['resident'] for run in timed), many),
        'peak': _ratio(median(run['peak'] for run in timed), many * announced),
        'traced': _ratio(traced['traced'], traced['routes']) if traced else None,
        'microseconds': _ratio(1e6 * min(run['seconds'] for run in timed), counted['decoded']),
        'microseconds_worst': _ratio(1e6 * max(run['seconds'] for run in timed), counted['decoded']),
        'digest': counted['digest'],
    }


def _saving(key: str, repeats: int, stock: dict[str, Any], interned: dict[str, Any]) -> float | None:
    """Return the fraction that interning saves, negative for a loss.

    It is 0 for a difference in time that is within the spread of the repeats.  It is None if it is not known: the time
    of a single load has no spread.
    """
    if stock[key] is None or interned[key] is None or key == 'microseconds' and repeats == 1:
        return None
    if key == 'microseconds':
        fast, slow = sorted((stock, interned), key=lambda way: way[key])
        if slow[key] <= fast['microseconds_worst']:
            return 0
    return _ratio(stock[key] - interned[key], stock[key])


def _nothing_loaded(workload: Workload, counted: dict[str, Any]) -> str:
    """Return why there is no route, in one line."""
    refused = sum(counted['refused'].values())
    if workload.commands:
        of, read = some(len(workload.commands), 'command'), some(counted['decoded'], 'command')
    else:
        of, read = some(len(workload.updates), 'UPDATE'), some(counted['decoded'], 'NLRI')
    why = f'ExaBGP read {read}, and no route is left' if counted['decoded'] else 'no route was loaded'
    if refused:
        why += f': ExaBGP refused {refused:,} of {of}, the first with: {counted["first_refusal"]}'
    return '; '.join(part for part in (workload.damaged, f'{workload.name}: {why}', counted['advice']) if part)


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
