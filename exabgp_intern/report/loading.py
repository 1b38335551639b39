"""Load routes into ExaBGP as its reactor and its configuration parser do.

`load(see, most)` of a loader returns how many routes or commands there were, and how many UPDATEs or commands ExaBGP
refused.  The refusals are counted by error message, in the order in which the messages first came.  `load` stops at the
UPDATE that has route number `most`, or at command number `most`.  A configuration is loaded whole.

After that `routes()` returns how many routes are held, and `changes()` yields them.  `advice()` tells the user which
options would let ExaBGP read the refused UPDATEs.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib import import_module
from itertools import groupby, product
from typing import Any, Callable, Iterator, Sequence

from exabgp_intern import lines
from exabgp_intern.report.commands import NEIGHBOR, add_peers, obey, reactor
from exabgp_intern.report.messages import ADD_PATH, HEADER
from exabgp_intern.report.workload import Problem, Session, Workload

__all__ = ('See', 'loader', 'negotiated_session')

MOST_WORDS = 200  # characters: some exceptions have the octets of a message in them
See = Callable[[Any, Any], None]  # is shown each route, as ExaBGP's Change, and the session's Negotiated


class _Received:
    """UPDATEs, decoded and stored as ExaBGP's reactor does it, in an adj-rib-in for each session."""

    def __init__(self, workload: Workload) -> None:
        from exabgp.bgp.message.update.nlri import NLRI
        from exabgp.rib.incoming import IncomingRIB

        import_module('exabgp.reactor.loop')  # as in the daemon, or attributes of SRv6 would not be decoded
        families = [*dict.fromkeys(NLRI.known_families())]  # some are in there twice
        ribs: dict[Session, Any] = {}
        self._sessions = {}
        for session in {session for session, _ in workload.updates}:
            rib = ribs.setdefault(session._replace(extended=False), IncomingRIB(True, set(families)))
            self._sessions[session] = _agreed(session), rib
        self._updates: list[tuple[Session, bytes]] = []
        self._refused: list[tuple[Session, bytes, str]] = []
        for session, body in workload.updates:
            most = self._sessions[session][0].msg_size
            if session.opens and HEADER + len(body) > most:  # the reactor does not even decode it
                self._refused.append((session, body, f'longer than {most} octets'))
            else:
                self._updates.append((session, body))

    def load(self, see: See | None = None, most: int = sys.maxsize) -> tuple[int, Counter[str]]:
        """Return how many routes were decoded, announced or withdrawn, and how many UPDATEs ExaBGP refused.

        A route with two next hops, global and link-local, of which ExaBGP makes two, counts as two without `see`.
        """
        from exabgp.bgp.message.update.attribute import Attribute

        line = _line()
        decode, store = line.decoded, line.store
        # the entries that ExaBGP adds to a set in which it found an error
        treated, discarded = Attribute.CODE.INTERNAL_TREAT_AS_WITHDRAW, Attribute.CODE.INTERNAL_DISCARD
        decoded = 0
        for session, body in self._updates:
            negotiated, rib = self._sessions[session]
            try:
                update = decode(body, negotiated)
            except Exception as problem:  # any of them makes the reactor notify the peer
                self._refused.append((session, body, _words(problem)))
                continue
            if update is None:  # End-of-RIB
                continue
            attributes, routes = update
            if discarded not in attributes:
                for route, withdrawn in routes:
                    store(rib, route, withdrawn)
            if see:
                for route, _ in routes:
                    see(route, negotiated)
            refusal = attributes.get(treated) or attributes.get(discarded)
            if refusal:
                self._refused.append((session, body, str(refusal)))
                continue
            decoded += _different(routes) if see else len(routes)
            if decoded >= most:
                break
        return decoded, Counter(reason for _, _, reason in self._refused)

    def routes(self) -> int:
        return sum(1 for _ in self.changes())

    def changes(self) -> Iterator[Any]:
        ribs = {id(rib): rib for _, rib in self._sessions.values()}
        return (change for rib in ribs.values() for change in _cached(rib))

    def advice(self) -> str:
        """Return with which options ExaBGP reads most of the refused UPDATEs of streams, '' if with none."""
        refused = [(session, body) for session, body, _ in self._refused if session.stream]
        found: dict[str, int] = {}
        for asn4, addpath in product((True, False), ((), tuple(ADD_PATH.values()))):
            agreed = {extended: _agreed(Session(b'', asn4, addpath, extended=extended)) for extended in (True, False)}
            plain = asn4 and not addpath  # without options an OPEN would say it
            tried = [(session, body) for session, body in refused if not (plain and session.opens)]
            families = [_families_read(body, agreed[session.extended]) for session, body in tried]
            names = [name for name, family in ADD_PATH.items() if addpath and family in set().union(*families)]
            options = ' '.join([*([] if asn4 else ['--asn2']), *(f'--add-path {name}' for name in names)])
            found[options] = max(found.get(options, 0), sum(map(bool, families)))
        best = max(found, key=lambda options: found[options])
        if not found[best]:
            return ''
        return f'{found[best]:,} of the refused UPDATEs can be read with {best or "neither --add-path nor --asn2"}'


class _Configured:
    """The routes of an ExaBGP configuration, as its own parser leaves them in the adj-rib-out of each neighbor."""

    def __init__(self, workload: Workload) -> None:
        from exabgp.configuration.configuration import Configuration

        self._path = workload.config
        self._configuration = Configuration([workload.config])

    def load(self, see: See | None = None, most: int = sys.maxsize) -> tuple[int, Counter[str]]:
        """Return how many routes there are, and no refusal.  Raises Problem, with the line, for what is wrong."""
        if self._configuration.reload() is not True:
            raise Problem(f'{self._path}: {self._error() or "ExaBGP cannot read it"}')
        if see:
            for neighbor in self._configuration.neighbors.values():
                negotiated = negotiated_session(neighbor, neighbor.families(), neighbor.addpaths(), True)
                for change in _queued(neighbor):
                    see(change, negotiated)
        return self.routes(), Counter()

    def _error(self) -> str:
        error = ' '.join(str(self._configuration.error).split())
        tokeniser = getattr(self._configuration, 'parser', self._configuration.tokeniser)  # of ExaBGP 6, or of 5.0
        if not self._path or not error.startswith('syntax error'):
            return error
        # ExaBGP numbers statements and calls them lines; and it has read on to the end of the next statement already.
        with open(self._path) as file:
            lines = file.readlines()[: tokeniser.index_line]
        found = (at for at in range(len(lines), 0, -1) if all(word in lines[at - 1] for word in tokeniser.line))
        return error.replace(f'line {tokeniser.number}:', f'line {next(found, tokeniser.index_line)}:', 1)

    def advice(self) -> str:
        return ''

    def routes(self) -> int:
        return sum(1 for neighbor in self._configuration.neighbors.values() for _ in _queued(neighbor))

    def changes(self) -> Iterator[Any]:
        for neighbor in self._configuration.neighbors.values():
            yield from (*_own(neighbor), *_queued(neighbor))


class _Commanded(_Configured):
    """The routes that API commands leave in the adj-rib-out of each neighbor, which sends all it has now and then."""

    SENT_EVERY = 1_000  # commands

    def __init__(self, workload: Workload) -> None:
        from exabgp.configuration.configuration import Configuration

        super().__init__(workload)
        self._commands = workload.commands
        self._selected = bool(workload.config)  # the neighbors that the commands name are there
        if not self._selected:
            self._configuration = Configuration([NEIGHBOR], True)
        self._reactor = reactor(self._configuration)

    def load(self, see: See | None = None, most: int = sys.maxsize) -> tuple[int, Counter[str]]:
        """Return how many commands ExaBGP did, and how many it refused."""
        super().load()
        add_peers(self._reactor)
        refused: Counter[str] = Counter()
        for number, command in enumerate(self._commands[:most]):
            if number % self.SENT_EVERY == 0:
                self._send(see)
            error = self._reactor.api.configuration.error
            error.clear()  # of the command before
            if not obey(self._reactor, command, self._selected):
                refused[' '.join(str(error).split()) or command] += 1
        self._send(see)
        return len(self._commands[:most]) - sum(refused.values()), refused

    def _send(self, see: See | None) -> None:
        for neighbor in self._configuration.neighbors.values():
            negotiated = negotiated_session(neighbor, neighbor.families(), neighbor.addpaths(), True)
            if see:
                for change in _queued(neighbor):
                    see(change, negotiated)
            for update in neighbor.rib.outgoing.updates(True):
                for _ in update.messages(negotiated):
                    pass

    def routes(self) -> int:
        return sum(1 for _ in self._held())

    def changes(self) -> Iterator[Any]:
        for neighbor in self._configuration.neighbors.values():
            yield from _own(neighbor)
        yield from self._held()

    def _held(self) -> Iterator[Any]:
        return (
            change for neighbor in self._configuration.neighbors.values() for change in _cached(neighbor.rib.outgoing)
        )


# ExaBGP 6 says routes where ExaBGP 4.2 and 5.0 say changes.


def _own(neighbor: Any) -> Any:
    return neighbor.changes if hasattr(neighbor, 'changes') else neighbor.routes


def _queued(neighbor: Any) -> Any:
    rib = neighbor.rib.outgoing
    return rib.queued_changes() if hasattr(rib, 'queued_changes') else rib.queued_routes()


def _cached(rib: Any) -> Any:
    return rib.cached_changes() if hasattr(rib, 'cached_changes') else rib.cached_routes()


def loader(workload: Workload) -> Any:
    """Return what loads `workload`."""
    if workload.commands:
        return _Commanded(workload)
    return _Configured(workload) if workload.config else _Received(workload)


def _line() -> Any:
    """Return the module that decodes as the ExaBGP that is installed."""
    return import_module('exabgp_intern.' + ('report.decoding' if lines.nlris_hold() else 'exabgp6.loading'))


def _agreed(session: Session) -> Any:
    """Return ExaBGP's Negotiated for a session.  Raises Problem if ExaBGP does not take its OPENs."""
    from exabgp.bgp.message.update.nlri import NLRI
    from exabgp.bgp.neighbor import Neighbor

    if not session.opens:
        family = _line().family
        addpath = [family(*each) for each in session.addpath]
        negotiated = negotiated_session(Neighbor(), NLRI.known_families(), addpath, session.asn4)
        # with it ExaBGP refuses next hops that are neither, in any family: only where it is needed
        (afi, safi), (other, _) = family(1, 1), family(2, 1)
        negotiated.nexthop = [(afi, safi, other)] if session.extended else []
        return negotiated
    try:
        return _negotiated(Neighbor(), session.opens)
    except Exception as problem:
        raise Problem(f'{session.peer.decode()}: ExaBGP refused its OPEN: {_words(problem)}') from problem


def _negotiated(neighbor: Any, opens: Sequence[bytes]) -> Any:
    """Return what one OPEN says, or two of them agree on.

    A family has ADD-PATH if either end sends path identifiers in it, RFC 7911 section 4, because nothing in a file says
    which end sent an UPDATE.  With one OPEN, these are the families in which its sender can send path identifiers.
    """
    from exabgp.bgp.message.open.capability import AddPath, Capability

    receive, send = 1, 2
    both = [_line().open_of(body) for body in (opens[0], opens[-1])]
    ours, theirs = (each.capabilities.get(Capability.CODE.ADD_PATH, {}) for each in both)
    if len(opens) == 1:
        theirs = dict.fromkeys(ours, receive)
    addpath = [
        family
        for family in ours
        if family in theirs
        and (ours[family] & send and theirs[family] & receive or theirs[family] & send and ours[family] & receive)
    ]
    for each in both:
        each.capabilities[Capability.CODE.ADD_PATH] = AddPath(addpath, receive | send)
    negotiated = _line().negotiated_with(neighbor)
    negotiated.sent(both[0])
    negotiated.received(both[1])
    return negotiated


def _different(routes: Sequence[tuple[Any, bool]]) -> int:
    """Return how many routes there are.  Consecutive routes with the same index count as one."""
    return sum(1 for _ in groupby(routes, key=lambda each: each[0].index()))


def _families_read(body: bytes, negotiated: Any) -> set[tuple[int, int]]:
    """Return the families of the routes that ExaBGP reads in an UPDATE, none if it refuses it."""
    from exabgp.bgp.message.update.attribute import Attribute

    try:
        attributes, routes = _line().decoded(body, negotiated) or ((), ())
    except Exception:
        return set()
    if {Attribute.CODE.INTERNAL_TREAT_AS_WITHDRAW, Attribute.CODE.INTERNAL_DISCARD} & set(attributes):
        return set()
    return {(int(route.nlri.afi), int(route.nlri.safi)) for route, _ in routes}


def _words(problem: Exception) -> str:
    """Return what an exception says, in one line that is not too long."""
    return ' '.join(str(problem).split())[:MOST_WORDS] or type(problem).__name__


def negotiated_session(neighbor: Any, families: Any, addpath: Any, asn4: bool) -> Any:
    """Return what a session has agreed on if both ends speak the same."""
    return _line().negotiated_session(neighbor, families, addpath, asn4)
