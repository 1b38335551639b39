"""BGP messages, RFC 4271 section 4: how they are read from a file, and how the body of an UPDATE is made."""

from __future__ import annotations

import re
from contextlib import suppress
from struct import pack, unpack_from
from typing import BinaryIO, Iterator

from exabgp_intern.report.fields import Damaged, Fields, path_attributes
from exabgp_intern.report.streams import read
from exabgp_intern.report.workload import Read, Session

__all__ = (
    'ADD_PATH',
    'HEADER',
    'NEXT_HOP',
    'EXTENDED',
    'IPV4_UNICAST',
    'MARKER',
    'MP_REACH_NLRI',
    'NLRIS_PER_UPDATE',
    'announcement',
    'attribute',
    'header',
    'messages',
    'reach',
    'told',
)

MARKER = b'\xff' * 16
HEADER = 19  # octets: marker, length, type
OPEN, UPDATE = 1, 2
KINDS = {OPEN: 'OPEN', 3: 'NOTIFICATION', 4: 'KEEPALIVE', 5: 'ROUTE-REFRESH'}
NEXT_HOP, MP_REACH_NLRI = 3, 14
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
EXTENDED = (16, 24, 32)  # octets of an IPv6 next hop, with an RD, or with a link-local one, as ExaBGP reads them
# an MP_REACH_NLRI of IPv4 with such a next hop, or what looks like one
LIKE_EXTENDED = re.compile(rb'\x0e..?\x00\x01[\x01\x02\x04\x80][\x10\x18\x20]', re.DOTALL)
NLRIS_PER_UPDATE = 50


def messages(stream: BinaryIO, path: str, said: Session | None, limit: int) -> Iterator[Read]:
    """Yield each UPDATE of a file of BGP messages, and the kind of each other message, up to UPDATE number `limit`.

    `said` describes all sessions, as the user's options do.  Without it, the OPENs of each session describe it, or the
    defaults of Session if there is none.  The file may have the OPENs of both ends.  An OPEN of a third speaker, or a
    second OPEN of the same speaker, begins a new session.  Messages between the two OPENs belong to the first end, and
    those after the second OPEN to the other end.  If no message is between the OPENs, nothing says which end sent an
    UPDATE, and both ends have one adj-rib-in.
    """
    sessions: list[dict[bytes, bytes]] = [{}]  # the OPENs of each by AS number and identifier of the speaker
    seen = []
    damage = None
    try:
        for kind, body in _messages(stream, path):
            if kind == OPEN:
                speaker = body[1:3] + body[5:9]
                if speaker in sessions[-1] or len(sessions[-1]) == 2:
                    sessions.append({})
                sessions[-1][speaker] = body
            seen.append((len(sessions), len(sessions[-1]), kind, body))
            limit -= kind == UPDATE
            if not limit:
                break
    except Damaged as damaged:
        damage = damaged
    agreed = {}
    for number, end in {each[:2] for each in seen}:
        session = said or Session(opens=tuple(sessions[number - 1].values()))
        peer = f'{path}, session {number}, end {end}'.encode(errors='backslashreplace')
        agreed[number, end] = session._replace(peer=peer, stream=True)
    for number, end, kind, body in seen:
        yield told(agreed[number, end], kind, body)
    if damage:
        raise damage


def told(session: Session, kind: int, body: bytes) -> Read:
    """Return an UPDATE, or the kind of another message."""
    if kind != UPDATE:
        return KINDS.get(kind, f'BGP type {kind}')
    extended = not session.opens and _extended_next_hop(body)
    return (session._replace(extended=True) if extended else session), body


def _messages(stream: BinaryIO, path: str) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the body of each message."""
    at = 0
    while True:
        where = f'{path}: byte {at}'
        start = read(stream, HEADER, where)
        if not start:
            return
        length, kind = header(start, where)
        body = read(stream, length - HEADER, where)
        if len(start) + len(body) < length:
            raise Damaged(f'{where}: truncated, {len(start) + len(body)} of the {length} octets of a BGP message')
        yield kind, body
        at += length


def header(header: bytes, where: str) -> tuple[int, int]:
    """Return the length and the type of the BGP message that starts so, of a cut header the least that they can be."""
    if header[:16] != MARKER[: len(header)]:
        raise Damaged(f'{where}: no BGP marker, 16 octets of ff, here')
    if len(header) < HEADER:
        return HEADER, 0
    length, kind = unpack_from('!HB', header, 16)
    if length < (HEADER + 4 if kind == UPDATE else HEADER):
        raise Damaged(f'{where}: a BGP message of type {kind} cannot have length {length}')
    return length, kind


def _extended_next_hop(body: bytes) -> bool:
    """Return whether an UPDATE has IPv4 routes with a next hop of IPv6, RFC 8950 section 3."""
    if not LIKE_EXTENDED.search(body):
        return False
    fields = Fields(body, '')
    with suppress(Damaged):  # ExaBGP says what is wrong with it
        fields.octets(fields.number(2))
        for code, value, _ in path_attributes(fields.octets(fields.number(2)), ''):
            if code == MP_REACH_NLRI:
                return len(value) > 3 and value[:2] == b'\0\1' and value[3] in EXTENDED
    return False


def announcement(attributes: bytes, nlris: bytes = b'') -> bytes:
    return pack('!HH', 0, len(attributes)) + attributes + nlris


def reach(family: tuple[int, int], next_hop: bytes, nlris: bytes) -> bytes:
    return attribute(0x80, MP_REACH_NLRI, pack('!HBB', *family, len(next_hop)) + next_hop + b'\0' + nlris)


def attribute(flags: int, code: int, value: bytes) -> bytes:
    return pack('!BBH', flags | 0x10, code, len(value)) + value
