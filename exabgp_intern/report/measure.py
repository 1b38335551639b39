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
from typing import Any, Iterator
from weakref import ref

from exabgp_intern import install, lines, stats
from exabgp_intern.installation import DEFAULT
from exabgp_intern.lines import attributes
from exabgp_intern.report.loading import loader
from exabgp_intern.report.workload import Problem, Workload, extra

__all__ = ('SAMPLE', 'main')

SAMPLE = 20_000
NEXT_HOP = 3


def main() -> None:
    """Print the measurement as one JSON object.  Exits with 2 and one line if the user has something to mend."""
    way, measure = sys.argv[1:]
    # ExaBGP looks for its settings beside the program that runs: let it be the one of this Python's.
    sys.argv[0] = os.path.join(os.path.dirname(sys.executable), 'exabgp')
    workload = pickle.load(sys.stdin.buffer)
    if measure != 'timed':
        gc.disable()  # it takes a fifth of the time
    with redirect_stdout(sys.stderr):
        try:
            result = MEASURES[measure](workload, _stock_classes(), way == 'interned')
        except Problem as problem:
            print(problem, file=sys.stderr)
            sys.exit(2)
    json.dump(result, sys.stdout)


def _stock_classes() -> dict[str, Any]:
    """Start ExaBGP, its log off, and return its own classes of those that can be installed by name."""
    lines.start()
    return {name: lines.canonical_class(name)._stock for name in DEFAULT if name in lines.classes()}


def _timed(workload: Workload, classes: dict[str, Any], interned: bool) -> dict[str, Any]:
    """Return the CPU seconds that loading took, and the octets of resident memory that it left, and had at its peak."""
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
    peak = _peak() - before
    return {'seconds': seconds, 'resident': memory().rss - before, 'peak': peak}


def _peak() -> int:
    """Return the most octets of resident memory that this process has had."""
    with suppress(OSError), open('/proc/self/status') as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith('VmHWM:'))
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_maxrss << (0 if sys.platform == 'darwin' else 10)


def _traced(workload: Workload, classes: dict[str, Any], interned: bool) -> dict[str, Any]:
    """Return the octets that Python's allocator has given to what loading left in use, and how many routes that is.

    They are of the first SAMPLE routes that were decoded, and `all` if there were no more: tracing takes long.
    """
    if interned:
        install()
    loaded = loader(workload)
    gc.collect()
    tracemalloc.start()
    decoded, _ = loaded.load(most=SAMPLE)
    gc.collect()
    octets = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return {'traced': octets, 'routes': loaded.routes(), 'all': decoded < SAMPLE}


def _counted(workload: Workload, classes: dict[str, Any], interned: bool) -> dict[str, Any]:
    """Return how many there were of everything, and a digest of all that the routes print, in the order they came in.

    `objects` are those that routes hold, and `references` those from routes to these objects.  Both are by class, and
    without ExaBGP's sentinels.  `constructed` is by class too.  With ExaBGP's own classes it counts all constructions,
    and with the canonical classes only the misses.  For sets and attributes it counts the different objects that came
    with a route.
    """
    sentinels = {id(value) for cls in classes.values() for value in vars(cls).values() if isinstance(value, cls)}
    constructed: dict[str, int] = Counter()
    for name, cls in classes.items():
        if not interned:
            cls.__init__ = _counting(cls.__init__, name, constructed)
    if interned:
        install()
        before = stats()
    digest = sha256()
    sets, path_attributes = _Different(), _Different()

    def see(change: Any, negotiated: Any) -> None:
        nlri, attributes = change.nlri, change.attributes
        if sets.add(attributes):
            for attribute in _path_attributes(attributes):
                path_attributes.add(attribute)
        pack = nlri.pack if hasattr(nlri, 'pack') else nlri.pack_nlri  # of ExaBGP 6, where a route has the next hop
        next_hop = getattr(change, 'nexthop', '')
        shows = nlri.json, nlri.__str__, lambda: pack(negotiated), attributes.json, attributes.__str__, next_hop.__str__
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
        constructed = {name: after[name].made - before[name].made for name in classes}
    else:
        constructed = {name: constructed[name] for name in classes}
    constructed.update(Attributes=sets.number, PathAttributes=path_attributes.number)
    objects: dict[str, set[int]] = {name: set() for name in constructed}
    references = dict.fromkeys(constructed, 0)

    def count(name: str, value: Any) -> None:
        if name in objects and id(value) not in sentinels:
            objects[name].add(id(value))
            references[name] += 1

    for change in loaded.changes():
        for value in attributes(change.nlri).values():
            count(type(value).__name__, value)
        known = id(change.attributes) in objects['Attributes']
        count('Attributes', change.attributes)
        for attribute in () if known else _path_attributes(change.attributes):
            count('PathAttributes', attribute)
    return {
        'decoded': decoded,
        'refused': dict(refused.most_common()),
        'routes': loaded.routes(),
        'constructed': constructed,
        'objects': {name: len(ids) for name, ids in objects.items()},
        'references': references,
        'digest': digest.hexdigest(),
        'first_refusal': next(iter(refused), ''),
        'advice': loaded.advice(),
    }


def _path_attributes(attributes: Any) -> Iterator[Any]:
    """Yield the attributes of a set, without the next hop and without ExaBGP's entries for errors."""
    return (each for code, each in attributes.items() if code != NEXT_HOP and hasattr(each, 'FLAG'))


class _Different:
    """Counts the objects that were never there before."""

    def __init__(self) -> None:
        self.number = 0
        self._alive: dict[int, Any] = {}

    def add(self, instance: Any) -> bool:
        """Return whether `instance` is not the one of before at its address."""
        known = self._alive.get(id(instance))
        if known is not None and known() is instance:
            return False
        self._alive[id(instance)] = ref(instance)
        self.number += 1
        return True


def _counting(init: Any, name: str, counts: dict[str, int]) -> Any:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        counts[name] += 1
        init(self, *args, **kwargs)

    return __init__


MEASURES = {'timed': _timed, 'traced': _traced, 'counted': _counted}
