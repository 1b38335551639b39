"""The source that the command line names, as a Workload: a file that was received, or a configuration."""

from __future__ import annotations

from exabgp_intern.report.messages import MARKER, NLRIS_PER_UPDATE, UPDATE, Truncated, messages
from exabgp_intern.report.mrt import Table, dump
from exabgp_intern.report.workload import Problem, Session, Workload

__all__ = ('configured', 'received')


def configured(path: str) -> Workload:
    """Return the ExaBGP configuration `path`, to be parsed when it is measured.  Raises Problem if it is not there."""
    _head(path)
    return Workload(path, config=path)


def received(path: str, nlris_per_update: int = NLRIS_PER_UPDATE, said: Session | None = None) -> Workload:
    """Return the UPDATEs of a file of BGP messages, or of an MRT dump, plain or packed by gzip or bzip2.

    How BGP messages read is what `said` says, or else the OPENs among them: see messages.  A dump says it by record.
    A dump of BGP4MP has the UPDATEs as they came, `nlris_per_update` is for those of TABLE_DUMP_V2: see Table.
    Raises Problem, with the byte (of what is unpacked), for what is neither and what has no whole UPDATE in it.
    """
    updates: list[tuple[Session, bytes]] = []
    skipped = 0
    truncated = ''
    table = Table(nlris_per_update)
    try:
        for session, kind, body in messages(path, said) if _head(path) == MARKER else dump(path, table):
            if kind == UPDATE:
                updates.append((session, body))
            else:
                skipped += 1
    except Truncated as cut:
        truncated = str(cut)
    updates += table.rest()
    if not updates:
        raise Problem(truncated or f'{path}: byte 0: no BGP UPDATE from here on')
    packed = f', the routes of the tables up to {nlris_per_update} an UPDATE' if table.peers else ''
    return Workload(path + packed, updates, skipped=skipped, truncated=truncated)


def _head(path: str) -> bytes:
    try:
        with open(path, 'rb') as file:
            return file.read(len(MARKER))
    except OSError as problem:
        raise Problem(f'{path}: {problem.strerror}') from problem
