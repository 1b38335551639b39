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

__all__ = ('FAMILIES', 'Problem', 'Session', 'Workload', 'configured', 'extra', 'received', 'synthetic')

MARKER = b'\xff' * 16
HEADER = 19  # octets: marker, length, type
UPDATE = 2
MRT_HEADER = 12  # octets
NEITHER = 'neither a BGP message nor an MRT record'
NLRIS_AN_UPDATE = 50
PATHS_A_PREFIX = 16

IPV4_UNICAST = (1, 1)
# What ExaBGP can negotiate ADD-PATH for; a record of RFC 8050 says that the session had it, not for which families.
ADD_PATH = (IPV4_UNICAST, (2, 1), (1, 4), (2, 4), (1, 128), (2, 128))


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


def synthetic(family: str, routes: int, vrfs: int, labels: int) -> Workload:
    """Return `routes` different routes of one of FAMILIES, 50 an UPDATE, each UPDATE of one VRF."""
    made = FAMILIES[family]
    session = Session(addpath=(IPV4_UNICAST,) if family == 'addpath' else ())
    updates = []
    for vrf in range(vrfs):
        members = range(vrf, routes, vrfs)
        for start in range(0, len(members), NLRIS_AN_UPDATE):
            chunk = members[start : start + NLRIS_AN_UPDATE]
            nlris = b''.join(made.nlri(route, vrf, 24_000 + route % labels) for route in chunk)
            updates.append((session, _update(made, vrf, nlris)))
    return Workload(f'{routes:,} {family} routes, {made.name.format(vrfs=vrfs, labels=labels)}', updates)


class _Family(NamedTuple):
    nlri: Callable[[int, int, int], bytes]  # of the route, the VRF and the label with these numbers
    afi: int
    safi: int
    zeros: bytes  # what stands before the address of the next hop
    name: str


def _update(family: _Family, vrf: int, nlris: bytes) -> bytes:
    next_hop = family.zeros + bytes((192, 0, 2, 1))
    attributes = (
        _attribute(0x40, 1, b'\0')  # origin IGP
        + _attribute(0x40, 2, b'')  # no AS path: iBGP
        + _attribute(0x40, 5, pack('!I', 100))  # local preference
        + _attribute(0xC0, 16, pack('!HHI', 2, 65000, vrf))  # route target
        + _attribute(0x80, 14, pack('!HBB', family.afi, family.safi, len(next_hop)) + next_hop + b'\0' + nlris)
    )
    return pack('!HH', 0, len(attributes)) + attributes


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


def received(path: str) -> Workload:
    """Return the UPDATEs of a file of BGP messages, or of an MRT BGP4MP dump, plain or packed by gzip or bzip2.

    BGP messages are of one session with 4-byte AS and ADD-PATH for IPv4 unicast; a dump says it record by record.
    Raises Problem, with the byte (of what is unpacked), for what is neither and what has no whole UPDATE in it.
    """
    updates: list[tuple[Session, bytes]] = []
    skipped = 0
    truncated = ''
    try:
        for session, kind, body in _messages(path) if _head(path) == MARKER else _dump(path):
            if kind == UPDATE:
                updates.append((session, body))
            else:
                skipped += 1
    except _Truncated as cut:
        truncated = str(cut)
    if not updates:
        raise Problem(truncated or f'{path}: byte 0: no BGP UPDATE from here on')
    return Workload(path, updates, skipped=skipped, truncated=truncated)


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


def _dump(path: str) -> Iterator[tuple[Session, int, bytes]]:
    """Yield the session, the type and the body of the BGP message of each record; type 0 for a record without one."""
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
                kind, subtype = mrtparse.MRT_T[kind], mrtparse.BGP4MP_ST[subtype]  # their names
                if kind not in ('BGP4MP', 'BGP4MP_ET'):
                    raise Problem(
                        f'{where}: {NEITHER if kind == "Unknown" else f"MRT {kind} is not read, only BGP4MP"}'
                    )
                data = stream.read(length)
            except EOFError as problem:
                raise _Truncated(f'{where}: truncated, {problem}') from problem
            except (OSError, zlib.error) as problem:
                raise Problem(f'{where}: {problem}') from problem
            if len(data) < length:
                raise _Truncated(f'{where}: truncated, {len(data)} of the {length} octets of an MRT record')
            # what is LOCAL the collector said itself; the rest is changes of a session's state
            if subtype.startswith('BGP4MP_MESSAGE') and 'LOCAL' not in subtype:
                # the time to the microsecond comes first in an extended record
                yield _bgp4mp(data[4:] if kind == 'BGP4MP_ET' else data, 'AS4' in subtype, 'ADDPATH' in subtype, where)
            else:
                yield Session(), 0, b''
            at += MRT_HEADER + length


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


def _head(path: str) -> bytes:
    try:
        with open(path, 'rb') as file:
            return file.read(len(MARKER))
    except OSError as problem:
        raise Problem(f'{path}: {problem.strerror}') from problem
