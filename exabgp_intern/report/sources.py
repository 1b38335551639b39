"""The source that the command line names, as a Workload: a file that was received, or a configuration."""

from __future__ import annotations

from collections import Counter

from exabgp_intern.report.fields import Damaged
from exabgp_intern.report.messages import MARKER, NLRIS_PER_UPDATE, messages
from exabgp_intern.report.mrt import dump
from exabgp_intern.report.rib import Rib
from exabgp_intern.report.workload import Problem, Session, Workload

__all__ = ('configured', 'received')


def configured(path: str) -> Workload:
    """Return the ExaBGP configuration `path`, to be parsed when it is measured.  Raises Problem if it is not there."""
    _head(path)
    return Workload(path, config=path)


def received(path: str, nlris_per_update: int = NLRIS_PER_UPDATE, said: Session | None = None) -> Workload:
    """Return the UPDATEs of a file of BGP messages, or of an MRT dump, plain or packed by gzip or bzip2.

    How BGP messages read is what `said` says, or else the OPENs among them: see messages.  A dump says it by record.
    A dump of BGP4MP has the UPDATEs as they came, `nlris_per_update` is for those of a table: see Rib.
    Raises Problem, with the byte (of what is unpacked), for what is neither and what has no whole UPDATE in it.
    """
    updates: list[tuple[Session, bytes]] = []
    skipped: Counter[str] = Counter()
    damaged = ''
    rib = Rib(nlris_per_update)
    try:
        for read in messages(path, said) if _head(path) == MARKER else dump(path, rib):
            if isinstance(read, str):
                skipped[read] += 1
            else:
                updates.append(read)
    except Damaged as damage:
        damaged = str(damage)
    updates += rib.rest()
    if not updates:
        kinds = ', '.join(f'{number} {kind}' for kind, number in skipped.most_common())
        only = f', only what is not read: {kinds}' if kinds else ''
        raise Problem(damaged or f'{path}: byte 0: no BGP UPDATE from here on{only}')
    name = f'{path}, the routes of the tables up to {nlris_per_update} an UPDATE' if rib.routes else path
    return Workload(name, updates, skipped=skipped, zero_next_hops=rib.zero_next_hops, damaged=damaged)


def _head(path: str) -> bytes:
    try:
        with open(path, 'rb') as file:
            return file.read(len(MARKER))
    except OSError as problem:
        raise Problem(f'{path}: {problem.strerror}') from problem
