"""What a report loads, and what the user is told to mend.

Nothing of this package's sources imports ExaBGP: messages stay bytes until the measured process decodes them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Mapping, NamedTuple, Sequence, Tuple, Union

__all__ = ('Problem', 'Read', 'Session', 'Workload', 'extra', 'some')


class Problem(Exception):
    """What the user has to mend, in one line."""

    def __str__(self) -> str:
        return super().__str__().replace('\n', '\\n')  # of a path, for example


class Session(NamedTuple):
    """One peer, and what was agreed with it that changes how its UPDATEs read.  Each has an adj-rib-in of its own."""

    peer: bytes = b''
    asn4: bool = True
    addpath: Sequence[tuple[int, int]] = ()  # the families, as (AFI, SAFI)
    opens: Sequence[bytes] = ()  # the bodies of the OPENs of one end or both, which say all of this if they are there
    extended: bool = False  # this UPDATE has an IPv4 route with an IPv6 next hop; its adj-rib-in is that of the others
    stream: bool = False  # nothing but OPENs and the user's options says how its UPDATEs read


Read = Union[Tuple[Session, bytes], str]  # an UPDATE, as in `updates` of a Workload, or the kind of what is none


class Workload(NamedTuple):
    """What to load: `updates`, the bodies of UPDATE messages in the order they came in, or `config`, a path.

    Or API `commands`, for the neighbors of `config`, or for a neighbor that is made up.
    """

    name: str
    updates: Sequence[tuple[Session, bytes]] = ()
    config: str = ''
    commands: Sequence[str] = ()
    skipped: Mapping[str, int] = {}  # how many messages or records there were that are no UPDATE from a peer, by kind
    zero_next_hops: int = 0  # of routes of a table that has none for them
    damaged: str = ''  # from where on the file cannot be read, and why, in one line


def some(number: int, noun: str) -> str:
    """Return `number` and `noun`, in the plural unless it is one."""
    return f'{number:,} {noun}{"" if number == 1 else "s"}'


def extra(module: str) -> Any:
    """Import `module`, which the extra `report` brings.  Raises Problem if it is not there."""
    try:
        return import_module(module)
    except ImportError as problem:
        raise Problem(f'no {module} ({problem}): pip install "exabgp-intern[report]"') from problem
