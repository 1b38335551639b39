"""BGP messages, RFC 4271 section 4: how they are read from a file, and how the body of an UPDATE is made."""

from __future__ import annotations

from struct import pack, unpack_from
from typing import BinaryIO, Iterator

from exabgp_intern.report.workload import Problem, Session

__all__ = (
    'ADD_PATH',
    'HEADER',
    'IPV4_UNICAST',
    'MARKER',
    'MP_REACH_NLRI',
    'NLRIS_PER_UPDATE',
    'UPDATE',
    'Truncated',
    'announcement',
    'attribute',
    'header',
    'messages',
    'reach',
)

MARKER = b'\xff' * 16
HEADER = 19  # octets: marker, length, type
OPEN, UPDATE = 1, 2
MP_REACH_NLRI = 14
IPV4_UNICAST = (1, 1)
# The families that ExaBGP can negotiate ADD-PATH for, as it names them.
ADD_PATH = {
    'ipv4/unicast': IPV4_UNICAST,
    'ipv6/unicast': (2, 1),
    'ipv4/nlri-mpls': (1, 4),
    'ipv6/nlri-mpls': (2, 4),
    'ipv4/mpls-vpn': (1, 128),
    'ipv6/mpls-vpn': (2, 128),
}
NLRIS_PER_UPDATE = 50


class Truncated(Exception):
    """The file ends in the middle of something."""


def messages(path: str, said: Session | None = None) -> Iterator[tuple[Session, int, bytes]]:
    """Yield the session, the type and the body of each BGP message of a file of nothing else.

    `said` is what the user says of all sessions.  Else the OPENs of each say it, or a Session without any argument.
    Those of both ends may be in the file, in one order or in the other: an OPEN of a third speaker, or a second one of
    the same, begins a session.
    """
    sessions: list[dict[bytes, bytes]] = [{}]  # the OPENs of each by AS number and identifier of the speaker
    read = []
    cut = None
    with open(path, 'rb') as file:
        try:
            for kind, body in _messages(file, path):
                if kind == OPEN:
                    speaker = body[1:3] + body[5:9]
                    if speaker in sessions[-1] or len(sessions[-1]) == 2:
                        sessions.append({})
                    sessions[-1][speaker] = body
                read.append((len(sessions), kind, body))
        except Truncated as truncated:
            cut = truncated
    agreed = []
    for number, opens in enumerate(sessions, 1):
        peer = f'{path}, session {number}'.encode(errors='backslashreplace')
        agreed.append((said or Session(opens=tuple(opens.values())))._replace(peer=peer, stream=True))
    for number, kind, body in read:
        yield agreed[number - 1], kind, body
    if cut:
        raise cut


def _messages(file: BinaryIO, path: str) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the body of each message."""
    at = 0
    while True:
        where = f'{path}: byte {at}'
        start = file.read(HEADER)
        if not start:
            return
        length, kind = header(start, where)
        body = file.read(length - HEADER)
        if len(start) + len(body) < length:
            raise Truncated(f'{where}: truncated, {len(start) + len(body)} of the {length} octets of a BGP message')
        yield kind, body
        at += length


def header(header: bytes, where: str) -> tuple[int, int]:
    """Return the length and the type of the BGP message that starts so, of a cut header the least that they can be."""
    if header[:16] != MARKER[: len(header)]:
        raise Problem(f'{where}: no BGP marker, 16 octets of ff, here')
    if len(header) < HEADER:
        return HEADER, 0
    length, kind = unpack_from('!HB', header, 16)
    if length < (HEADER + 4 if kind == UPDATE else HEADER):
        raise Problem(f'{where}: a BGP message of type {kind} cannot have length {length}')
    return length, kind


def announcement(attributes: bytes, nlris: bytes = b'') -> bytes:
    return pack('!HH', 0, len(attributes)) + attributes + nlris


def reach(family: tuple[int, int], next_hop: bytes, nlris: bytes) -> bytes:
    return attribute(0x80, MP_REACH_NLRI, pack('!HBB', *family, len(next_hop)) + next_hop + b'\0' + nlris)


def attribute(flags: int, code: int, value: bytes) -> bytes:
    return pack('!BBH', flags | 0x10, code, len(value)) + value
