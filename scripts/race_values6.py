"""What scripts/race_check.py builds with ExaBGP 6: see scripts/race_values.py."""

from __future__ import annotations

from typing import Any, Callable

from exabgp.bgp.message import Update
from exabgp.bgp.message.update.attribute import Attribute, AttributeCollection
from exabgp.bgp.message.update.nlri import NLRI
from exabgp.bgp.neighbor import Neighbor
from exabgp.protocol.ip import IPv4

from exabgp_intern import ESI, EthernetTag, Labels, PathInfo, RouteDistinguisher
from exabgp_intern.exabgp6 import nexthops, parts, received
from exabgp_intern.report.loading import negotiated_session

__all__ = ('BUILDERS', 'DECODERS', 'HOOKS', 'TABLES')

BUILDERS: list[Callable[..., Any]] = [
    lambda number, cls=RouteDistinguisher: cls(number.to_bytes(8, 'big')),
    lambda number, cls=PathInfo: cls(number.to_bytes(4, 'big')),
    lambda number, cls=ESI: cls(number.to_bytes(10, 'big')),
    lambda number, cls=EthernetTag: cls(number.to_bytes(4, 'big')),
    lambda number, cls=Labels: cls(number.to_bytes(3, 'big')),
    lambda number, cls=Labels: cls.unpack_labels(number.to_bytes(6, 'big')),
    lambda number, cls=RouteDistinguisher: cls.unpack_routedistinguisher((2**24 + number).to_bytes(8, 'big')),
]

SESSION = negotiated_session(Neighbor(), NLRI.known_families(), [], True)


def decode(number: int) -> Any:
    """Return the attribute set of an UPDATE that has the number as its metric."""
    metric = b'\x80\4\4' + number.to_bytes(4, 'big') + b'\x80\x0f\7\0\1\1\x18\x0a\0\1'
    body = b'\0\0' + len(metric).to_bytes(2, 'big') + metric
    return Update.unpack_message(body, SESSION).data.attributes


def decode_attribute(number: int) -> Any:
    """Return the local preference that has the number."""
    return Attribute.unpack(Attribute.CODE.LOCAL_PREF, 0x40, number.to_bytes(4, 'big'), SESSION)


def next_hop(number: int) -> Any:
    return nexthops.shared_next_hop(IPv4(number.to_bytes(4, 'big')))


DECODERS: list[Callable[..., Any]] = [
    lambda number: received.Received._share(b'%d' % number, AttributeCollection()),
    decode,
    decode_attribute,
    next_hop,
]

HOOKS = (parts.HOOKS, received.HOOKS)
CLASSES = (RouteDistinguisher, Labels, PathInfo, ESI, EthernetTag, received.Received)
TABLES = [*(cls._table for cls in CLASSES), parts.TABLE, nexthops.TABLE]
