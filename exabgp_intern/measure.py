"""What a report runs in a process of its own: load the routes in one way, and measure one thing about it.

`python -c 'from exabgp_intern.measure import main; main()' WAY MEASURE`, with WAY `stock` or `interned` and MEASURE
`timed`, `traced` or `counted`, reads a pickled Workload from its standard input, and prints JSON.
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
from contextlib import redirect_stdout
from hashlib import sha256
from typing import Any, Callable, Iterator

from exabgp_intern import install, lines, stats
from exabgp_intern.canonical import attributes
from exabgp_intern.installation import DEFAULT
from exabgp_intern.workload import Problem, Workload, extra

__all__ = ('main',)

See = Callable[[Any, Any], None]  # is shown each route, as ExaBGP's Change, and the session's Negotiated


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


class _Received:
    """UPDATEs, decoded and stored as ExaBGP's reactor does it, in an adj-rib-in for each session."""

    def __init__(self, workload: Workload) -> None:
        from exabgp.bgp.message.update.nlri import NLRI
        from exabgp.bgp.neighbor import Neighbor
        from exabgp.protocol.family import AFI, SAFI
        from exabgp.rib.incoming import IncomingRIB

        families = NLRI.known_families()
        self._updates = workload.updates
        self._sessions = {}
        for session in {session for session, _ in workload.updates}:
            addpath = [(AFI.create(afi), SAFI.create(safi)) for afi, safi in session.addpath]
            self._sessions[session] = (
                negotiated_session(Neighbor(), families, addpath, session.asn4),
                IncomingRIB(True, families),
            )

    def load(self, see: See | None = None) -> tuple[int, int]:
        """Return how many NLRIs were decoded, and how many UPDATEs ExaBGP refused."""
        from exabgp.bgp.message import Update
        from exabgp.bgp.message.direction import Direction
        from exabgp.bgp.message.update.attribute import Attribute
        from exabgp.bgp.message.update.eor import EOR
        from exabgp.rib.change import Change

        _, withdraw = lines.actions()
        decoded = refused = 0
        for session, body in self._updates:
            negotiated, rib = self._sessions[session]
            try:
                update = Update.unpack_message(body, Direction.IN, negotiated)
            except Exception:  # any of them makes the reactor notify the peer
                refused += 1
                continue
            if isinstance(update, EOR):
                continue
            if Attribute.CODE.INTERNAL_TREAT_AS_WITHDRAW in update.attributes:
                for nlri in update.nlris:
                    nlri.action = withdraw
            kept = Attribute.CODE.INTERNAL_DISCARD not in update.attributes
            for nlri in update.nlris:
                change = Change(nlri, update.attributes)
                if kept:
                    rib.update_cache(change)
                if see:
                    see(change, negotiated)
            decoded += len(update.nlris)
        return decoded, refused

    def routes(self) -> int:
        return sum(1 for _ in self.changes())

    def changes(self) -> Iterator[Any]:
        return (change for _, rib in self._sessions.values() for change in rib.cached_changes())


class _Configured:
    """The routes of an ExaBGP configuration, as its own parser leaves them in the adj-rib-out of each neighbor."""

    def __init__(self, workload: Workload) -> None:
        from exabgp.configuration.configuration import Configuration

        self._path = workload.config
        self._configuration = Configuration([workload.config])

    def load(self, see: See | None = None) -> tuple[int, int]:
        """Return how many routes there are, and 0.  Raises Problem, with the line, for an error in the file."""
        if self._configuration.reload() is not True:
            raise Problem(f'{self._path}: {self._error() or "ExaBGP cannot read it"}')
        if see:
            for neighbor in self._configuration.neighbors.values():
                negotiated = negotiated_session(neighbor, neighbor.families(), neighbor.addpaths(), True)
                for change in neighbor.rib.outgoing.queued_changes():
                    see(change, negotiated)
        return self.routes(), 0

    def _error(self) -> str:
        error = ' '.join(str(self._configuration.error).split())
        tokeniser = self._configuration.tokeniser
        if not error.startswith('syntax error'):
            return error
        # ExaBGP numbers statements and calls them lines; and it has read on to the end of the next statement already.
        with open(self._path) as file:
            lines = file.readlines()[: tokeniser.index_line]
        found = (at for at in range(len(lines), 0, -1) if all(word in lines[at - 1] for word in tokeniser.line))
        return error.replace(f'line {tokeniser.number}:', f'line {next(found, tokeniser.index_line)}:', 1)

    def routes(self) -> int:
        return sum(
            1 for neighbor in self._configuration.neighbors.values() for _ in neighbor.rib.outgoing.queued_changes()
        )

    def changes(self) -> Iterator[Any]:
        for neighbor in self._configuration.neighbors.values():
            yield from (*neighbor.changes, *neighbor.rib.outgoing.queued_changes())


def _loader(workload: Workload) -> Any:
    return _Configured(workload) if workload.config else _Received(workload)


def negotiated_session(neighbor: Any, families: Any, addpath: Any, asn4: bool) -> Any:
    """Return what a session has agreed on if both ends speak the same."""
    from exabgp.bgp.message import Open
    from exabgp.bgp.message.open import ASN, HoldTime, RouterID, Version
    from exabgp.bgp.message.open.capability import AddPath, Capabilities, Capability, Negotiated
    from exabgp.bgp.message.open.capability.asn4 import ASN4

    capabilities = Capabilities()
    capabilities[Capability.CODE.MULTIPROTOCOL] = families
    capabilities[Capability.CODE.ADD_PATH] = AddPath(addpath, 3)  # both ways, so that it shows in the packed form
    if asn4:
        capabilities[Capability.CODE.FOUR_BYTES_ASN] = ASN4(65000)
    message = Open(Version(4), ASN(65000), HoldTime(180), RouterID('192.0.2.1'), capabilities)
    negotiated = Negotiated(neighbor)
    negotiated.sent(message)
    negotiated.received(message)
    return negotiated


def _timed(workload: Workload, classes: dict[str, Any], interned: bool) -> dict[str, Any]:
    """Return the CPU seconds that loading took, and the octets of resident memory that it left in use."""
    memory = extra('psutil').Process().memory_info
    if interned:
        install()
    loader = _loader(workload)
    gc.collect()
    before = memory().rss
    start = time.process_time()
    loader.load()
    seconds = time.process_time() - start
    gc.collect()
    return {'seconds': seconds, 'resident': memory().rss - before}


def _traced(workload: Workload, classes: dict[str, Any], interned: bool) -> dict[str, Any]:
    """Return the octets that Python's allocator has given to what loading left in use."""
    if interned:
        install()
    loader = _loader(workload)
    gc.collect()
    tracemalloc.start()
    loader.load()
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
    loader = _loader(workload)
    decoded, refused = loader.load()
    if interned:
        after = stats()
        made = {name: after[name].made - before[name].made for name in classes if name in after}
        # none is shared of a configuration, nor in ExaBGP 4.2
        made['Attributes'] = made.get('Attributes') or constructed['Attributes']
    else:
        made = {name: constructed[name] for name in classes}
    objects: dict[str, set[int]] = {name: set() for name in classes}
    references: dict[str, int] = dict.fromkeys(classes, 0)
    for change in loader.changes():
        for value in (*attributes(change.nlri).values(), change.attributes):
            name = type(value).__name__
            if name in classes and id(value) not in sentinels:
                objects[name].add(id(value))
                references[name] += 1
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

    _loader(workload).load(see)
    return {
        'decoded': decoded,
        'refused': refused,
        'routes': loader.routes(),
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
