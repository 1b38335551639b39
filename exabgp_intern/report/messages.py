"""BGP messages, RFC 4271 section 4: how they are read from a file, and how the body of an UPDATE is made."""

from __future__ import annotations

from struct import pack, unpack_from
from typing import Iterator

from exabgp_intern.report.workload import Problem, Session

__all__ = (
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
UPDATE = 2
MP_REACH_NLRI = 14
IPV4_UNICAST = (1, 1)
NLRIS_PER_UPDATE = 50


class Truncated(Exception):
    """The file ends in the middle of something."""


def messages(path: str) -> Iterator[tuple[Session, int, bytes]]:
    """Yield the session, the type and the body of each BGP message of a file of nothing else."""
    with open(path, 'rb') as file:
        data = file.read()
    session = Session(addpath=(IPV4_UNICAST,))
    at = 0
    while at < len(data):
        where = f'{path}: byte {at}'
        length, kind = header(data[at : at + HEADER], where)
        if len(data) - at < length:
            raise Truncated(f'{where}: truncated, {len(data) - at} of the {length} octets of a BGP message')
        yield session, kind, data[at + HEADER : at + length]
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
