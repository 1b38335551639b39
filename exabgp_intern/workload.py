"""Where the routes of a report come from: made up, read from a file of BGP messages, or an ExaBGP configuration.

Nothing here imports ExaBGP: the messages stay bytes until the measured process decodes them.
"""

from __future__ import annotations

import signal
import zlib
from contextlib import closing
from importlib import import_module
from struct import pack, unpack, unpack_from
from typing import Any, Callable, Iterator, NamedTuple, Sequence

__all__ = (
    'FAMILIES',
    'NLRIS_PER_UPDATE',
    'Problem',
    'Session',
    'Workload',
    'configured',
    'extra',
    'received',
    'synthetic',
)

MARKER = b'\xff' * 16
HEADER = 19  # octets: marker, length, type
UPDATE = 2
MRT_HEADER = 12  # octets
NEITHER = 'neither a BGP message nor an MRT record'
NLRIS_PER_UPDATE = 50
PATHS_A_PREFIX = 16

IPV4_UNICAST = (1, 1)
# What ExaBGP can negotiate ADD-PATH for; a record of RFC 8050 says that the session had it, not for which families.
ADD_PATH = (IPV4_UNICAST, (2, 1), (1, 4), (2, 4), (1, 128), (2, 128))
RIB_FAMILIES = {
    'RIB_IPV4_UNICAST': IPV4_UNICAST,
    'RIB_IPV4_MULTICAST': (1, 2),
    'RIB_IPV6_UNICAST': (2, 1),
    'RIB_IPV6_MULTICAST': (2, 2),
}
# The families whose NLRI says first how many bits it has: of RIB_GENERIC these alone can be told from what follows.
PREFIXES = {(afi, safi) for afi in (1, 2) for safi in (1, 2, 4, 128)}
MP_REACH_NLRI = 14
MOST_ATTRIBUTES = 60_000  # octets: MP_REACH_NLRI is to be made anew, and a length has two octets


class Problem(Exception):
    """What the user has to mend, in one line."""


class Session(NamedTuple):
    """One peer, and what was agreed with it that changes how its UPDATEs read.  Each has an adj-rib-in of its own."""

    peer: bytes = b''
    asn4: bool = True
    addpath: Sequence[tuple[int, int]] = ()  # the families, as (AFI, SAFI)


class Workload(NamedTuple):
    """What to load: `updates`, the bodies of UPDATE messages in the order they came in, or `config`, a path."""

    name: str
    updates: Sequence[tuple[Session, bytes]] = ()
    config: str = ''
    skipped: int = 0  # messages or records that are no UPDATE from a peer
    truncated: str = ''  # where the file ended in the middle of something, in one line


def extra(module: str) -> Any:
    """Import `module`, which the extra `report` brings.  Raises Problem if it is not there."""
    try:
        return import_module(module)
    except ImportError as problem:
        raise Problem(f'no {module} ({problem}): pip install "exabgp-intern[report]"') from problem


def synthetic(
    family: str, routes: int, vrfs: int, labels: int, nlris_per_update: int = NLRIS_PER_UPDATE, first: int = 0
) -> Workload:
    """Return `routes` different routes of one of FAMILIES, from number `first` on, each UPDATE of one VRF."""
    made = FAMILIES[family]
    session = Session(addpath=(IPV4_UNICAST,) if family == 'addpath' else ())
    updates = []
    for vrf in range(vrfs):
        members = range(first + vrf, first + routes, vrfs)
        for start in range(0, len(members), nlris_per_update):
            chunk = members[start : start + nlris_per_update]
            nlris = b''.join(made.nlri(route, vrf, 24_000 + route % labels) for route in chunk)
            updates.append((session, _update(made, vrf, nlris)))
    values = made.name.format(vrfs=vrfs, labels=labels)
    return Workload(f'{routes:,} {family} routes, {values}, {nlris_per_update} an UPDATE', updates)


class _Family(NamedTuple):
    nlri: Callable[[int, int, int], bytes]  # of the route, the VRF and the label with these numbers
    afi: int
    safi: int
    zeros: bytes  # what stands before the address of the next hop
    name: str


def _update(family: _Family, vrf: int, nlris: bytes) -> bytes:
    next_hop = family.zeros + bytes((192, 0, 2, 1))
    return _announcement(
        _attribute(0x40, 1, b'\0')  # origin IGP
        + _attribute(0x40, 2, b'')  # no AS path: iBGP
        + _attribute(0x40, 5, pack('!I', 100))  # local preference
        + _attribute(0xC0, 16, pack('!HHI', 2, 65000, vrf))  # route target
        + _reach((family.afi, family.safi), next_hop, nlris)
    )


def _announcement(attributes: bytes, nlris: bytes = b'') -> bytes:
    return pack('!HH', 0, len(attributes)) + attributes + nlris


def _reach(family: tuple[int, int], next_hop: bytes, nlris: bytes) -> bytes:
    return _attribute(0x80, MP_REACH_NLRI, pack('!HBB', *family, len(next_hop)) + next_hop + b'\0' + nlris)


def _attribute(flags: int, code: int, value: bytes) -> bytes:
    return pack('!BBH', flags | 0x10, code, len(value)) + value


def _vpnv4(route: int, vrf: int, label: int) -> bytes:
    return pack('!B3sHHI3s', 24 + 64 + 24, _label(label), 0, 65000, vrf, route.to_bytes(3, 'big'))


def _labelled(route: int, vrf: int, label: int) -> bytes:
    return pack('!B3s3s', 24 + 24, _label(label), route.to_bytes(3, 'big'))


def _evpn(route: int, vrf: int, label: int) -> bytes:
    # a MAC/IP advertisement: RD, Ethernet segment, VLAN, MAC, address, label
    segment, address = vrf.to_bytes(10, 'big'), (10 << 24 | route).to_bytes(4, 'big')
    value = pack('!HHI10sIB2s4sB4s', 0, 65000, vrf, segment, vrf + 1, 48, b'\2\0', address, 32, address)
    return pack('!BB', 2, len(value) + 3) + value + _label(label)


def _addpath(route: int, vrf: int, label: int) -> bytes:
    prefix, path = divmod(route, PATHS_A_PREFIX)
    return pack('!IB3s', path + 1, 24, prefix.to_bytes(3, 'big'))


def _label(label: int) -> bytes:
    return (label << 4 | 1).to_bytes(3, 'big')


FAMILIES = {
    'vpnv4': _Family(_vpnv4, 1, 128, bytes(8), '{vrfs} VRFs, {labels} labels'),
    'labelled': _Family(_labelled, 1, 4, b'', '{labels} labels'),
    'evpn': _Family(_evpn, 25, 70, b'', '{vrfs} VRFs, {labels} labels'),
    'addpath': _Family(_addpath, 1, 1, b'', f'{PATHS_A_PREFIX} paths a prefix'),
}


def configured(path: str) -> Workload:
    """Return the ExaBGP configuration `path`, to be parsed when it is measured.  Raises Problem if it is not there."""
    _head(path)
    return Workload(path, config=path)


def received(path: str, nlris_per_update: int = NLRIS_PER_UPDATE) -> Workload:
    """Return the UPDATEs of a file of BGP messages, or of an MRT dump, plain or packed by gzip or bzip2.

    BGP messages are of one session with 4-byte AS and ADD-PATH for IPv4 unicast; a dump says it record by record.
    A dump of BGP4MP has the UPDATEs as they came, `nlris_per_update` is for those of TABLE_DUMP_V2: see _Table.
    Raises Problem, with the byte (of what is unpacked), for what is neither and what has no whole UPDATE in it.
    """
    updates: list[tuple[Session, bytes]] = []
    skipped = 0
    truncated = ''
    table = _Table(nlris_per_update)
    try:
        for session, kind, body in _messages(path) if _head(path) == MARKER else _dump(path, table):
            if kind == UPDATE:
                updates.append((session, body))
            else:
                skipped += 1
    except _Truncated as cut:
        truncated = str(cut)
    updates += table.rest()
    if not updates:
        raise Problem(truncated or f'{path}: byte 0: no BGP UPDATE from here on')
    packed = f', the routes of the tables up to {nlris_per_update} an UPDATE' if table.peers else ''
    return Workload(path + packed, updates, skipped=skipped, truncated=truncated)


class _Truncated(Exception):
    """The file ends in the middle of something."""


def _messages(path: str) -> Iterator[tuple[Session, int, bytes]]:
    """Yield the session, the type and the body of each BGP message of a file of nothing else."""
    with open(path, 'rb') as file:
        data = file.read()
    session = Session(addpath=(IPV4_UNICAST,))
    at = 0
    while at < len(data):
        where = f'{path}: byte {at}'
        length, kind = _header(data[at : at + HEADER], where)
        if len(data) - at < length:
            raise _Truncated(f'{where}: truncated, {len(data) - at} of the {length} octets of a BGP message')
        yield session, kind, data[at + HEADER : at + length]
        at += length


def _header(header: bytes, where: str) -> tuple[int, int]:
    """Return the length and the type of the BGP message that starts so, of a cut header the least that they can be."""
    if header[:16] != MARKER[: len(header)]:
        raise Problem(f'{where}: no BGP marker, 16 octets of ff, here')
    if len(header) < HEADER:
        return HEADER, 0
    length, kind = unpack_from('!HB', header, 16)
    if length < (HEADER + 4 if kind == UPDATE else HEADER):
        raise Problem(f'{where}: a BGP message of type {kind} cannot have length {length}')
    return length, kind


def _dump(path: str, table: _Table) -> Iterator[tuple[Session, int, bytes]]:
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
                    raise _Truncated(f'{where}: truncated, {len(header)} of the {MRT_HEADER} octets of an MRT header')
                _, kind, subtype, length = unpack('!IHHI', header)
                kind = mrtparse.MRT_T[kind]  # its name
                if kind not in ('BGP4MP', 'BGP4MP_ET', 'TABLE_DUMP_V2'):
                    only = f'MRT {kind} is not read, only BGP4MP and TABLE_DUMP_V2'
                    raise Problem(f'{where}: {NEITHER if kind == "Unknown" else only}')
                data = stream.read(length)
            except EOFError as problem:
                raise _Truncated(f'{where}: truncated, {problem}') from problem
            except (OSError, zlib.error) as problem:
                raise Problem(f'{where}: {problem}') from problem
            if len(data) < length:
                raise _Truncated(f'{where}: truncated, {len(data)} of the {length} octets of an MRT record')
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
    length, kind = _header(message[:HEADER], where)
    if length != len(message):
        raise Problem(f'{where}: a BGP message of length {length} in a record that has {len(message)} octets for it')
    return Session(peer, asn4, ADD_PATH if addpath else ()), kind, message[HEADER:]


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


class _Table:
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
            self.peers = [(Session(peer), Session(peer, addpath=ADD_PATH)) for peer in _peers(record)]
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
        return _announcement(attributes, b''.join(nlris))
    return _announcement(_reach(family, next_hop or b'', b''.join(nlris)) + attributes)


def _head(path: str) -> bytes:
    try:
        with open(path, 'rb') as file:
            return file.read(len(MARKER))
    except OSError as problem:
        raise Problem(f'{path}: {problem.strerror}') from problem
