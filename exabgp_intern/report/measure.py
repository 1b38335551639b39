"""What a report runs in a process of its own: load the routes in one way, and measure one thing about it.

`python -c 'from exabgp_intern.report.measure import main; main()' WAY MEASURE` reads a pickled Workload from its
standard input, and prints JSON.  WAY is `stock` or `interned`; MEASURE is `timed`, `traced` or `counted`.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import sys
import time
import tracemalloc
from collections import Counter
from contextlib import redirect_stdout, suppress
from hashlib import sha256
from typing import Any

from exabgp_intern import install, lines, stats
from exabgp_intern.installation import DEFAULT
from exabgp_intern.lines import attributes
from exabgp_intern.report.loading import loader
from exabgp_intern.report.workload import Problem, Workload, extra

__all__ = ('main',)


def main() -> None:
    """Print the measurement as one JSON object.  Exits with 2 and one line if the user has something to mend."""
    way, measure = sys.argv[1:]
    # ExaBGP looks for its settings beside the program that runs: let it be the one of this Python's.
    sys.argv[0] = os.path.join(os.path.dirname(sys.executable), 'exabgp')
    workload = pickle.load(sys.stdin.buffer)
    with redirect_stdout(sys.stderr):
        try:
            result = MEASURES[measure](workload, _stock_classes(), way == 'interned')
        except Problem as problem:
            print(problem, file=sys.stderr)
            sys.exit(2)
    json.dump(result, sys.stdout)


def _stock_classes() -> dict[str, Any]:
    """Start ExaBGP, its log off, and return its own classes of those that can be installed by name."""
    from exabgp.bgp.message.update.attribute import Attributes

    lines.start()
    return {**{name: lines.canonical_class(name)._stock for name in DEFAULT}, 'Attributes': Attributes}


def _timed(workload: Workload, classes: dict[str, Any], interned: bool) -> dict[str, Any]:
    """Return the CPU seconds that loading took, and the octets of resident memory that it left in use.

    For announced routes, also `peak`: the octets that were in use when there were most of them.
    """
    memory = extra('psutil').Process().memory_info
    if interned:
        install()
    loaded = loader(workload)
    gc.collect()
    before = memory().rss
    start = time.process_time()
    loaded.load()
    seconds = time.process_time() - start
    gc.collect()
    peak = _peak() - before if workload.config or workload.commands else None
    return {'seconds': seconds, 'resident': memory().rss - before, 'peak': peak}


def _peak() -> int:
    """Return the most octets of resident memory that this process has had."""
    with suppress(OSError), open('/proc/self/status') as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith('VmHWM:'))
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_maxrss << (0 if sys.platform == 'darwin' else 10)


def _traced(workload: Workload, classes: dict[str, Any], interned: bool) -> dict[str, Any]:
    """Return the octets that Python's allocator has given to what loading left in use."""
    if interned:
        install()
    loaded = loader(workload)
    gc.collect()
    tracemalloc.start()
    loaded.load()
    gc.collect()
    return {'traced': tracemalloc.get_traced_memory()[0]}


def _counted(workload: Workload, classes: dict[str, Any], interned: bool) -> dict[str, Any]:
    """Return how many there were of everything, and a digest of all that the routes print, in the order they came in.

    `objects` and `references` to them from routes held, by class, without ExaBGP's sentinels; `constructed` by class:
    by ExaBGP's own classes all there were, by the canonical ones those that were not there already.
    """
    sentinels = {id(value) for cls in classes.values() for value in vars(cls).values() if isinstance(value, cls)}
    constructed: dict[str, int] = Counter()
    for name, cls in classes.items():
        if not interned or name == 'Attributes':
            cls.__init__ = _counting(cls.__init__, name, constructed)
    if interned:
        install()
        before = stats()
    digest = sha256()

    def see(change: Any, negotiated: Any) -> None:
        nlri, attributes = change.nlri, change.attributes
        shows = nlri.json, nlri.__str__, lambda: nlri.pack(negotiated), attributes.json, attributes.__str__
        for show in shows:
            try:
                shown = repr(show())
            except Exception as problem:  # there are routes that ExaBGP decodes and cannot print
                shown = repr(problem)
            digest.update(shown.encode() + b'\n')

    loaded = loader(workload)
    decoded, refused = loaded.load(see)
    if interned:
        after = stats()
        made = {name: after[name].made - before[name].made for name in after}
        # UPDATEs are not shared in ExaBGP 4.2
        made['Attributes'] = made.get('Attributes', 0) + made.get('Announced', 0) or constructed['Attributes']
    else:
        made = {name: constructed[name] for name in classes}
    objects: dict[str, set[int]] = {name: set() for name in classes}
    references: dict[str, int] = dict.fromkeys(classes, 0)
    for change in loaded.changes():
        for value in (*attributes(change.nlri).values(), change.attributes):
            name = 'Attributes' if value is change.attributes else type(value).__name__
            if name in classes and id(value) not in sentinels:
                objects[name].add(id(value))
                references[name] += 1
    return {
        'decoded': decoded,
        'refused': refused,
        'routes': loaded.routes(),
        'constructed': made,
        'objects': {name: len(ids) for name, ids in objects.items()},
        'references': references,
        'digest': digest.hexdigest(),
    }


def _counting(init: Any, name: str, counts: dict[str, int]) -> Any:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        counts[name] += 1
        init(self, *args, **kwargs)

    return __init__


MEASURES = {'timed': _timed, 'traced': _traced, 'counted': _counted}
