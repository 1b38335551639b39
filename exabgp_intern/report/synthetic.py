"""Routes that are made up."""

from __future__ import annotations

from struct import pack
from typing import Callable, NamedTuple

from exabgp_intern.report.messages import IPV4_UNICAST, NLRIS_PER_UPDATE, announcement, attribute, reach
from exabgp_intern.report.workload import Session, Workload

__all__ = ('FAMILIES', 'synthetic')

PATHS_A_PREFIX = 16


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
    return announcement(
        attribute(0x40, 1, b'\0')  # origin IGP
        + attribute(0x40, 2, b'')  # no AS path: iBGP
        + attribute(0x40, 5, pack('!I', 100))  # local preference
        + attribute(0xC0, 16, pack('!HHI', 2, 65000, vrf))  # route target
        + reach((family.afi, family.safi), next_hop, nlris)
    )


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
