"""MRT dumps, RFC 6396 and RFC 8050: BGP4MP and TABLE_DUMP_V2."""

from __future__ import annotations

import signal
import zlib
from contextlib import closing
from struct import pack, unpack
from typing import Iterator

from exabgp_intern.report.messages import (
    ADD_PATH,
    HEADER,
    IPV4_UNICAST,
    MP_REACH_NLRI,
    UPDATE,
    Truncated,
    announcement,
    header,
    reach,
)
from exabgp_intern.report.workload import Problem, Session, extra

__all__ = ('Table', 'dump')

MRT_HEADER = 12  # octets
NEITHER = 'neither a BGP message nor an MRT record'

# A record of RFC 8050 says that the session had ADD-PATH, not for which families.
ALL_ADD_PATH = tuple(ADD_PATH.values())
RIB_FAMILIES = {
    'RIB_IPV4_UNICAST': IPV4_UNICAST,
    'RIB_IPV4_MULTICAST': (1, 2),
    'RIB_IPV6_UNICAST': (2, 1),
    'RIB_IPV6_MULTICAST': (2, 2),
}
# The families whose NLRI says first how many bits it has: of RIB_GENERIC these alone can be told from what follows.
PREFIXES = {(afi, safi) for afi in (1, 2) for safi in (1, 2, 4, 128)}
MOST_ATTRIBUTES = 60_000  # octets: MP_REACH_NLRI is to be made anew, and a length has two octets


def dump(path: str, table: Table) -> Iterator[tuple[Session, int, bytes]]:
    """Yield the session, the type and the body of the BGP message of each record; type 0 for a record without one.

    Of TABLE_DUMP_V2 those that `table` has full; the rest is to be asked for at the end.
    """
    on_closed_pipe = signal.getsignal(signal.SIGPIPE)
    mrtparse = extra('mrtparse')
    signal.signal(signal.SIGPIPE, on_closed_pipe)  # mrtparse makes it end the process
    at = 0
    # Its Reader unpacks gzip and bzip2.  It would parse the messages too, but that is what ExaBGP is measured at.
    with closing(mrtparse.Reader(path).f) as stream:
        while True:
            where = f'{path}: byte {at}'
            try:
                header = stream.read(MRT_HEADER)
                if not header:
                    return
                if len(header) < MRT_HEADER:
                    raise Truncated(f'{where}: truncated, {len(header)} of the {MRT_HEADER} octets of an MRT header')
                _, kind, subtype, length = unpack('!IHHI', header)
                kind = mrtparse.MRT_T[kind]  # its name
                if kind not in ('BGP4MP', 'BGP4MP_ET', 'TABLE_DUMP_V2'):
                    only = f'MRT {kind} is not read, only BGP4MP and TABLE_DUMP_V2'
                    raise Problem(f'{where}: {NEITHER if kind == "Unknown" else only}')
                data = stream.read(length)
            except EOFError as problem:
                raise Truncated(f'{where}: truncated, {problem}') from problem
            except (OSError, zlib.error) as problem:
                raise Problem(f'{where}: {problem}') from problem
            if len(data) < length:
                raise Truncated(f'{where}: truncated, {len(data)} of the {length} octets of an MRT record')
            at += MRT_HEADER + length
            if kind == 'TABLE_DUMP_V2':
                yield from table.read(mrtparse.TD_V2_ST[subtype], _Fields(data, where))
                continue
            subtype = mrtparse.BGP4MP_ST[subtype]
            # what is LOCAL the collector said itself; the rest is changes of a session's state
            if subtype.startswith('BGP4MP_MESSAGE') and 'LOCAL' not in subtype:
                # the time to the microsecond comes first in an extended record
                yield _bgp4mp(data[4:] if kind == 'BGP4MP_ET' else data, 'AS4' in subtype, 'ADDPATH' in subtype, where)
            else:
                yield Session(), 0, b''


def _bgp4mp(data: bytes, asn4: bool, addpath: bool, where: str) -> tuple[Session, int, bytes]:
    """Return the session, the type and the body of the message in a BGP4MP_MESSAGE record, RFC 6396 section 4.4."""
    asns = 8 if asn4 else 4
    family = data[asns + 2 : asns + 4]
    addresses = 8 if family == b'\0\1' else 32
    peer = data[: asns // 2] + data[asns + 4 : asns + 4 + addresses // 2]
    message = data[asns + 4 + addresses :]
    length, kind = header(message[:HEADER], where)
    if length != len(message):
        raise Problem(f'{where}: a BGP message of length {length} in a record that has {len(message)} octets for it')
    return Session(peer, asn4, ALL_ADD_PATH if addpath else ()), kind, message[HEADER:]


class _Fields:
    """What is in a record, field by field from its start.  Raises Problem where it has not as much."""

    def __init__(self, data: bytes, where: str) -> None:
        self.where = where
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def octets(self, length: int) -> bytes:
        start, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise Problem(f'{self.where}: a field of this MRT record goes past its end')
        return self._data[start : self._at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.octets(length), 'big')


class Table:
    """The routes of a RIB dump, MRT TABLE_DUMP_V2, RFC 6396 section 4.3, as UPDATEs that may have brought them.

    A dump is by prefix and has not kept those.  A speaker that sends its table puts routes with the same attributes
    into one UPDATE; so does this, peer by peer.  One prefix an UPDATE would have ExaBGP hold an attribute set for each.
    """

    def __init__(self, nlris_per_update: int) -> None:
        self.peers: list[tuple[Session, Session]] = []  # without ADD-PATH, and with it
        self._nlris_per_update = nlris_per_update
        # not yet full: the routes by session, family, next hop and all attributes but MP_REACH_NLRI
        self._routes: dict[tuple[Session, tuple[int, int], bytes | None, bytes], list[bytes]] = {}

    def read(self, subtype: str, record: _Fields) -> Iterator[tuple[Session, int, bytes]]:
        """Yield session, type and body of the UPDATEs that this record fills; type 0 for a record without routes."""
        if subtype == 'PEER_INDEX_TABLE':
            self.peers = [(Session(peer), Session(peer, addpath=ALL_ADD_PATH)) for peer in _peers(record)]
            return
        addpath = subtype.endswith('_ADDPATH')
        family = RIB_FAMILIES.get(subtype[: -len('_ADDPATH')] if addpath else subtype)
        # not of RIB_GENERIC_ADDPATH: the path identifier is elsewhere in RFC 8050 than in the dumps there are
        if family or subtype == 'RIB_GENERIC':
            record.octets(4)  # sequence number
            family = family or (record.number(2), record.number(1))
        if family not in PREFIXES:
            yield Session(), 0, b''
            return
        bits = record.octets(1)
        prefix = bits + record.octets((bits[0] + 7) // 8)
        for _ in range(record.number(2)):
            peer = record.number(2)
            if peer >= len(self.peers):
                raise Problem(f'{record.where}: peer {peer} is not in a PEER_INDEX_TABLE of {len(self.peers)}')
            record.octets(4)  # when it came in
            nlri = record.octets(4 if addpath else 0) + prefix
            next_hop, attributes = _without_reach(record.octets(record.number(2)), family, record.where)
            route = self.peers[peer][addpath], family, next_hop, attributes
            nlris = self._routes.setdefault(route, [])
            nlris.append(nlri)
            if len(nlris) == self._nlris_per_update:
                yield route[0], UPDATE, _update_of_table(*route[1:], self._routes.pop(route))

    def rest(self) -> list[tuple[Session, bytes]]:
        """Return the session and the body of the UPDATEs that are not full."""
        return [(route[0], _update_of_table(*route[1:], nlris)) for route, nlris in self._routes.items()]


def _peers(record: _Fields) -> Iterator[bytes]:
    """Yield AS number and address of the peers in a PEER_INDEX_TABLE, RFC 6396 section 4.3.1."""
    record.octets(4)  # the collector
    record.octets(record.number(2))  # its view
    for _ in range(record.number(2)):
        kind = record.number(1)
        record.octets(4)  # BGP identifier
        address = record.octets(16 if kind & 1 else 4)
        yield record.octets(4 if kind & 2 else 2) + address


def _without_reach(attributes: bytes, family: tuple[int, int], where: str) -> tuple[bytes | None, bytes]:
    """Return the next hop in MP_REACH_NLRI, None if that is not there, and all other attributes.

    RFC 6396 section 4.3.4 has it hold the next hop only, behind its length.  Some collectors write all of it.
    """
    if len(attributes) > MOST_ATTRIBUTES:
        raise Problem(f'{where}: a route with {len(attributes)} octets of attributes')
    fields = _Fields(attributes, where)
    next_hop, others = None, b''
    while fields:
        head = fields.octets(2)
        length = fields.octets(2 if head[0] & 0x10 else 1)
        value = fields.octets(int.from_bytes(length, 'big'))
        if head[1] != MP_REACH_NLRI:
            others += head + length + value
        elif value and value[0] == len(value) - 1:
            next_hop = value[1:]
        elif value[:3] == pack('!HB', *family) and len(value) > 4 + value[3]:
            next_hop = value[4 : 4 + value[3]]
        else:
            raise Problem(f'{where}: an MP_REACH_NLRI that is neither whole nor a next hop')
    return next_hop, others


def _update_of_table(family: tuple[int, int], next_hop: bytes | None, attributes: bytes, nlris: list[bytes]) -> bytes:
    if family == IPV4_UNICAST and next_hop is None:
        return announcement(attributes, b''.join(nlris))
    return announcement(reach(family, next_hop or b'', b''.join(nlris)) + attributes)
