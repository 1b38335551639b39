"""What a report loads, and what the user is told to mend.

Nothing of this package's sources imports ExaBGP: messages stay bytes until the measured process decodes them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple, Sequence

__all__ = ('Problem', 'Session', 'Workload', 'extra')


class Problem(Exception):
    """What the user has to mend, in one line."""


class Session(NamedTuple):
    """One peer, and what was agreed with it that changes how its UPDATEs read.  Each has an adj-rib-in of its own."""

    peer: bytes = b''
    asn4: bool = True
    addpath: Sequence[tuple[int, int]] = ()  # the families, as (AFI, SAFI)
    opens: Sequence[bytes] = ()  # the bodies of the OPENs of one end or both, which say all of this if they are there
    stream: bool = False  # nothing but OPENs and the user's options says how its UPDATEs read


class Workload(NamedTuple):
    """What to load: `updates`, the bodies of UPDATE messages in the order they came in, or `config`, a path.

    Or API `commands`, for the neighbors of `config`, or for a neighbor that is made up.
    """

    name: str
    updates: Sequence[tuple[Session, bytes]] = ()
    config: str = ''
    commands: Sequence[str] = ()
    skipped: int = 0  # messages or records that are no UPDATE from a peer
    truncated: str = ''  # where the file ended in the middle of something, in one line


def extra(module: str) -> Any:
    """Import `module`, which the extra `report` brings.  Raises Problem if it is not there."""
    try:
        return import_module(module)
    except ImportError as problem:
        raise Problem(f'no {module} ({problem}): pip install "exabgp-intern[report]"') from problem
