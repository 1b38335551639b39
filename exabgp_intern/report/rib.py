"""The tables in MRT dumps: TABLE_DUMP, RFC 6396 section 4.2, TABLE_DUMP_V2, section 4.3, with RFC 8050 section 4."""

from __future__ import annotations

from contextlib import suppress
from struct import pack
from typing import Iterator, Optional, Tuple

from exabgp_intern.report.fields import Damaged, Fields, path_attributes
from exabgp_intern.report.messages import (
    ADD_PATH,
    EXTENDED,
    IPV4_UNICAST,
    MP_REACH_NLRI,
    NEXT_HOP,
    announcement,
    attribute,
    reach,
)
from exabgp_intern.report.workload import Read, Session

__all__ = ('ALL_ADD_PATH', 'Rib')

Entry = Tuple[int, bytes, bytes, bytes]  # the number of the peer, path identifier, NLRI and attributes
# session, family, next hop, all attributes but MP_REACH_NLRI, and whether the next hop is made up
Route = Tuple[Session, Tuple[int, int], Optional[bytes], bytes, bool]

# A record of RFC 8050 says that the session had ADD-PATH, not for which families.
ALL_ADD_PATH = (*ADD_PATH.values(), (1, 2), (2, 2))
IPV4, IPV6 = 1, 2  # AFIs
VPNS, FLOWS = (128, 72), (133, 134)  # SAFIs
FAMILIES = {
    'RIB_IPV4_UNICAST': IPV4_UNICAST,
    'RIB_IPV4_MULTICAST': (1, 2),
    'RIB_IPV6_UNICAST': (2, 1),
    'RIB_IPV6_MULTICAST': (2, 2),
}
# How an NLRI starts in the families of RIB_GENERIC: with its length in bits ...
BITS = {*ALL_ADD_PATH, (1, 132)}
# ... or with so many octets for its type, and so many for its length in octets.
OCTETS = {
    **dict.fromkeys([(25, 70), (1, 5), (2, 5)], (1, 1)),  # EVPN, multicast VPN
    **dict.fromkeys([(1, 85), (2, 85)], (3, 1)),  # MUP
    **dict.fromkeys([(16388, 71), (16388, 72)], (2, 2)),  # BGP-LS
    (25, 65): (0, 2),  # VPLS
}
AGGREGATOR, AS4_AGGREGATOR, AS_TRANS = 7, 18, 23456
MOST_ATTRIBUTES = 60_000  # octets: MP_REACH_NLRI is to be made anew, and a length has two octets


class Rib:
    """The routes of a table, as UPDATEs that may have brought them.

    A dump is sorted by prefix and has not kept the UPDATEs.  A speaker that sends its table puts routes with the same
    attributes into one UPDATE.  This class does the same for each peer.  With one prefix in each UPDATE, ExaBGP would
    hold an attribute set for each prefix.
    """

    def __init__(self, nlris_per_update: int) -> None:
        self.routes = 0
        self.zero_next_hops = 0  # of routes that have none in the file
        self._peers: list[bytes] = []
        self._nlris_per_update = nlris_per_update
        # NLRIs that do not fill an UPDATE yet
        self._waiting: dict[Route, list[bytes]] = {}

    def read_first_version(self, afi: int, record: Fields) -> Iterator[Read]:
        """Yield the UPDATE that a record of TABLE_DUMP fills, or what it is if it is not read."""
        if afi not in (IPV4, IPV6):
            yield f'TABLE_DUMP subtype {afi}'
            return
        length = 4 if afi == IPV4 else 16
        record.octets(4)  # view, sequence number
        prefix, bits = record.octets(length), record.octets(1)
        record.octets(5)  # status, when it came in
        address, asn = record.octets(length), record.octets(2)
        nlri = _nlri(Fields(bits + prefix, record.where), (afi, 1))
        attributes = _with_two_octet_aggregator(record.octets(record.number(2)), record.where)
        yield from self._add(Session(asn + address, asn4=False), (afi, 1), nlri, attributes, record.where)

    def read(self, subtype: str, record: Fields) -> Iterator[Read]:
        """Yield the UPDATEs that a record of TABLE_DUMP_V2 fills, or what it is if it is not read."""
        if subtype == 'PEER_INDEX_TABLE':
            self._peers = [*_peers(record)]
            return
        addpath = subtype.endswith('_ADDPATH')
        name = subtype[: -len('_ADDPATH')] if addpath else subtype
        if name != 'RIB_GENERIC' and name not in FAMILIES:
            yield subtype
            return
        record.octets(4)  # sequence number
        family = FAMILIES.get(name) or (record.number(2), record.number(1))
        if family not in BITS and family not in OCTETS and family[1] not in FLOWS:
            yield '{} of AFI {}, SAFI {}'.format(subtype, *family)
            return
        entries = _entries_of_either_form if subtype == 'RIB_GENERIC_ADDPATH' else _entries
        for peer, path, nlri, attributes in entries(record, family, addpath):
            if peer >= len(self._peers):
                raise Damaged(f'{record.where}: peer {peer} is not in a PEER_INDEX_TABLE of {len(self._peers)}')
            session = Session(self._peers[peer], addpath=ALL_ADD_PATH if addpath else ())
            # ExaBGP reads no path identifier in other families
            nlri = (path if family in ALL_ADD_PATH else b'') + nlri
            yield from self._add(session, family, nlri, attributes, record.where)

    def rest(self) -> Iterator[Read]:
        """Yield the UPDATEs that are not full."""
        for route, nlris in self._waiting.items():
            yield self._made(route, nlris)

    def _add(
        self, session: Session, family: tuple[int, int], nlri: bytes, attributes: bytes, where: str
    ) -> Iterator[Read]:
        """Yield the UPDATE that this route fills."""
        if len(attributes) > MOST_ATTRIBUTES:
            raise Damaged(f'{where}: a route with {len(attributes)} octets of attributes')
        next_hop, others, nowhere = _without_reach(attributes, family, where)
        self.routes += 1
        session = session._replace(extended=family[0] == IPV4 and len(next_hop or b'') in EXTENDED)
        route = session, family, next_hop, others, nowhere
        nlris = self._waiting.setdefault(route, [])
        nlris.append(nlri)
        if len(nlris) == self._nlris_per_update:
            yield self._made(route, self._waiting.pop(route))

    def _made(self, route: Route, nlris: list[bytes]) -> Read:
        """Return the UPDATE with these routes."""
        session, family, next_hop, attributes, nowhere = route
        self.zero_next_hops += len(nlris) * nowhere
        if next_hop is None:
            return session, announcement(attributes, b''.join(nlris))
        return session, announcement(reach(family, next_hop, b''.join(nlris)) + attributes)


def _with_two_octet_aggregator(attributes: bytes, where: str) -> bytes:
    """Return the attributes of TABLE_DUMP as a session without 4-byte AS has them.

    Some collectors write two octets for an AS number in AS_PATH, and four in AGGREGATOR.
    """
    made = b''
    for code, value, octets in path_attributes(attributes, where):
        if code == AGGREGATOR and len(value) == 8:
            asn = int.from_bytes(value[:4], 'big')
            if asn >= 1 << 16:  # RFC 6793 section 4.2.2
                made += attribute(0xC0, AS4_AGGREGATOR, value)
                asn = AS_TRANS
            octets = attribute(0xC0, AGGREGATOR, pack('!H', asn) + value[4:])
        made += octets
    return made


def _peers(record: Fields) -> Iterator[bytes]:
    """Yield AS number and address of the peers in a PEER_INDEX_TABLE, RFC 6396 section 4.3.1."""
    record.octets(4)  # the collector
    record.octets(record.number(2))  # its view
    for _ in range(record.number(2)):
        kind = record.number(1)
        record.octets(4)  # BGP identifier
        address = record.octets(16 if kind & 1 else 4)
        yield record.octets(4 if kind & 2 else 2) + address


def _entries(record: Fields, family: tuple[int, int], addpath: bool) -> list[Entry]:
    """Return the entries of a record."""
    nlri = _nlri(record, family)
    entries = []
    for _ in range(record.number(2)):
        peer = record.number(2)
        record.octets(4)  # when it came in
        path = record.octets(4 if addpath else 0)
        entries.append((peer, path, nlri, record.octets(record.number(2))))
    return entries


def _entries_of_either_form(record: Fields, family: tuple[int, int], addpath: bool) -> list[Entry]:
    """Return the entries of RIB_GENERIC_ADDPATH, in the form that ends where the record ends.

    Some dumps have a path identifier in each entry, as the other records, and some have one before the NLRI.
    """
    data = record.rest()
    with suppress(Damaged):
        fields = Fields(data, record.where)
        entries = _entries(fields, family, True)
        if not fields:
            return entries
    fields = Fields(data, record.where)
    path = fields.octets(4)
    return [(peer, path, nlri, attributes) for peer, _, nlri, attributes in _entries(fields, family, False)]


def _nlri(record: Fields, family: tuple[int, int]) -> bytes:
    """Return the NLRI that comes next, without a path identifier."""
    if family in BITS:
        bits = record.octets(1)
        if family[1] in (1, 2) and bits[0] > (32 if family[0] == IPV4 else 128):
            raise Damaged(f'{record.where}: a prefix of {bits[0]} bits')
        return bits + record.octets((bits[0] + 7) // 8)
    if family[1] in FLOWS:  # RFC 8955 section 4.1: a length of 240 or more has 12 bits
        length = record.octets(1)
        length += record.octets(1 if length[0] >= 0xF0 else 0)
        return length + record.octets(int.from_bytes(length, 'big') & 0xFFF)
    kind, length = (record.octets(number) for number in OCTETS[family])
    return kind + length + record.octets(int.from_bytes(length, 'big'))


def _without_reach(attributes: bytes, family: tuple[int, int], where: str) -> tuple[bytes | None, bytes, bool]:
    """Return the next hop for MP_REACH_NLRI, the attributes without that, and whether the route had no next hop.

    The first is None if the next hop stays among the attributes, in NEXT_HOP.  What is nowhere is made as zeros.
    """
    parts = [*path_attributes(attributes, where)]
    values = {code: value for code, value, _ in parts}
    next_hop = _in_reach(values[MP_REACH_NLRI], family, where) if MP_REACH_NLRI in values else b''
    nowhere = not next_hop and not values.get(NEXT_HOP) and family[1] not in FLOWS
    if family == IPV4_UNICAST and not next_hop:
        made = attribute(0x40, NEXT_HOP, bytes(4)) if nowhere else b''
        return None, b''.join(octets for code, _, octets in parts if code != MP_REACH_NLRI) + made, nowhere
    # RFC 4760 section 3: where all routes are in MP_REACH_NLRI, a speaker sends no NEXT_HOP
    others = b''.join(octets for code, _, octets in parts if code not in (MP_REACH_NLRI, NEXT_HOP))
    if nowhere:
        next_hop = bytes(16 if family[0] == IPV6 else 4)
    return _for_reach(next_hop or values.get(NEXT_HOP, b''), family), others, nowhere


def _in_reach(value: bytes, family: tuple[int, int], where: str) -> bytes:
    """Return the next hop in the MP_REACH_NLRI of an entry.

    RFC 6396 section 4.3.4 has it hold the next hop only, behind its length.  Some collectors write all of it.
    """
    if not value or value[0] == len(value) - 1:
        return value[1:]
    if value[:3] == pack('!HB', *family) and len(value) > 4 + value[3]:
        return value[4 : 4 + value[3]]
    raise Damaged(f'{where}: an MP_REACH_NLRI that is neither whole nor a next hop')


def _for_reach(address: bytes, family: tuple[int, int]) -> bytes:
    """Return a next hop as MP_REACH_NLRI has it: of IPv6, RFC 4798 section 2, and behind a zero RD, RFC 4364."""
    if family[0] == IPV6 and len(address) == 4:
        address = bytes(10) + b'\xff\xff' + address
    return bytes(8) + address if family[1] in VPNS and len(address) in (4, 16) else address
