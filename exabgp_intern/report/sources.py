"""The source that the command line names, as a Workload: files that were received, or a configuration."""

from __future__ import annotations

import sys
from collections import Counter

from exabgp_intern.report.fields import Damaged
from exabgp_intern.report.messages import MARKER, NLRIS_PER_UPDATE, messages
from exabgp_intern.report.mrt import dump
from exabgp_intern.report.rib import Rib
from exabgp_intern.report.streams import files, opened
from exabgp_intern.report.workload import Problem, Session, Workload

__all__ = ('configured', 'received')


def configured(path: str) -> Workload:
    """Return the ExaBGP configuration `path`, to be parsed when it is measured.  Raises Problem if it is not there."""
    try:
        with open(path, 'rb'):
            return Workload(path, config=path)
    except OSError as problem:
        raise Problem(f'{path}: {problem.strerror}') from problem


def received(
    *paths: str, nlris_per_update: int = NLRIS_PER_UPDATE, said: Session | None = None, limit: int = sys.maxsize
) -> Workload:
    """Return the first `limit` UPDATEs of files, BGP messages or MRT dumps, of directories, or of standard input, `-`.

    How BGP messages read is what `said` says, or else the OPENs among them: see messages.  A dump says it by record.
    A dump of BGP4MP has the UPDATEs as they came, `nlris_per_update` is for those of a table: see Rib.
    A peer of several dumps has one adj-rib-in, each session of BGP messages one of its own.
    Raises Problem, with the byte (of what is unpacked), for what is neither and what has no whole UPDATE in it.
    """
    updates: list[tuple[Session, bytes]] = []
    skipped: Counter[str] = Counter()
    damages = []
    tables = zero_next_hops = 0
    for path in files(paths):
        rib = Rib(nlris_per_update)
        with opened(path) as (head, stream):
            try:
                left = limit - len(updates)
                for read in messages(stream, path, said, left) if head == MARKER else dump(stream, path, rib):
                    if isinstance(read, str):
                        skipped[read] += 1
                    else:
                        updates.append(read)
                        if len(updates) == limit:
                            break
            except Damaged as damage:
                damages.append(str(damage))
        tables += bool(rib.routes)
        zero_next_hops += rib.zero_next_hops
        if len(updates) == limit:
            break
    name = paths[0] + (f' and {len(paths) - 1} more' if paths[1:] else '')
    damaged = '; '.join(damages)
    if not updates:
        kinds = ', '.join(f'{number} {kind}' for kind, number in skipped.most_common())
        only = f', only what the report does not read: {kinds}' if kinds else ''
        raise Problem(damaged or f'{name}: no BGP UPDATE in it{only}')
    if tables:
        name += f', the routes of the tables up to {nlris_per_update} an UPDATE'
    return Workload(name, updates, skipped=skipped, zero_next_hops=zero_next_hops, damaged=damaged)
