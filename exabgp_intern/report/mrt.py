"""MRT dumps, RFC 6396 and RFC 8050: BGP4MP here, and what tables are in them."""

from __future__ import annotations

import signal
from struct import unpack
from typing import BinaryIO, Container, Iterator

from exabgp_intern.report.fields import Damaged, Fields
from exabgp_intern.report.messages import HEADER, header, told
from exabgp_intern.report.rib import ALL_ADD_PATH, Rib
from exabgp_intern.report.streams import read
from exabgp_intern.report.workload import Read, Session, extra

__all__ = ('dump',)

MRT_HEADER = 12  # octets


def dump(stream: BinaryIO, path: str, rib: Rib) -> Iterator[Read]:
    """Yield the UPDATE of each record that has one, and the name of what is in each other that is not read.

    Those of tables come where `rib` has them full, and at the end.
    """
    damage = None
    try:
        yield from _read(stream, path, rib)
    except Damaged as damaged:
        damage = damaged
    yield from rib.rest()
    if damage:
        raise damage


def _read(stream: BinaryIO, path: str, rib: Rib) -> Iterator[Read]:
    """Yield what is in the records, without the end of tables."""
    on_closed_pipe = signal.getsignal(signal.SIGPIPE)
    mrtparse = extra('mrtparse')
    signal.signal(signal.SIGPIPE, on_closed_pipe)  # mrtparse makes it end the process
    # Its Reader would parse the messages too, but that is what ExaBGP is measured at.
    for number, subtype, record in _records(stream, path, mrtparse.MRT_T):
        kind = mrtparse.MRT_T[number]
        name = mrtparse.MRT_ST[number].get(subtype, f'{kind} subtype {subtype}')
        if kind == 'TABLE_DUMP_V2':
            yield from rib.read(name, record)
        elif kind == 'TABLE_DUMP':
            yield from rib.read_first_version(subtype, record)
        # what is LOCAL the collector said itself
        elif kind in ('BGP4MP', 'BGP4MP_ET') and name.startswith('BGP4MP_MESSAGE') and 'LOCAL' not in name:
            record.octets(4 if kind == 'BGP4MP_ET' else 0)  # the microseconds
            yield _message(record, 'AS4' in name, 'ADDPATH' in name)
        else:
            yield name


def _records(stream: BinaryIO, path: str, kinds: Container[int]) -> Iterator[tuple[int, int, Fields]]:
    """Yield the type, the subtype and the message of each record, RFC 6396 section 2."""
    at = 0
    while True:
        where = f'{path}: byte {at}'
        start = read(stream, MRT_HEADER, where)
        if not start:
            return
        if len(start) < MRT_HEADER:
            raise Damaged(f'{where}: truncated, {len(start)} of the {MRT_HEADER} octets of an MRT header')
        _, kind, subtype, length = unpack('!IHHI', start)
        if kind not in kinds:
            raise Damaged(f'{where}: no BGP message and no MRT record starts here')
        data = read(stream, length, where)
        if len(data) < length:
            raise Damaged(f'{where}: truncated, {len(data)} of the {length} octets of an MRT record')
        yield kind, subtype, Fields(data, where)
        at += MRT_HEADER + length


def _message(record: Fields, asn4: bool, addpath: bool) -> Read:
    """Return what a BGP4MP_MESSAGE record has, RFC 6396 section 4.4.2."""
    asn = record.octets(4 if asn4 else 2)
    record.octets(len(asn) + 2)  # the collector's AS number, the interface
    length = 4 if record.octets(2) == b'\0\1' else 16
    session = Session(asn + record.octets(length), asn4, ALL_ADD_PATH if addpath else ())
    record.octets(length)  # the collector's address
    message = record.rest()
    stated, kind = header(message[:HEADER], record.where)
    if stated != len(message):
        raise Damaged(f'{record.where}: a BGP message of length {stated} in a record that has {len(message)} octets')
    return told(session, kind, message[HEADER:])
