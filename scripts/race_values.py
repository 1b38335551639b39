"""What scripts/race_check.py builds with ExaBGP 4.2 and 5.0.  scripts/race_values6.py has the same for ExaBGP 6."""

from __future__ import annotations

from typing import Any, Callable

from exabgp.bgp.message import Update
from exabgp.bgp.message.direction import Direction
from exabgp.bgp.message.update.attribute import Attribute
from exabgp.bgp.message.update.attribute import Attributes as StockAttributes
from exabgp.bgp.message.update.nlri import NLRI
from exabgp.bgp.neighbor import Neighbor

from exabgp_intern import ESI, EthernetTag, Labels, NextHop, PathInfo, RouteDistinguisher
from exabgp_intern.attribute import parts, received
from exabgp_intern.report.loading import negotiated_session

__all__ = ('BUILDERS', 'DECODERS', 'HOOKS', 'TABLES')

# What builds the value of a number; the last three by way of ExaBGP's constructor.  Bound to the
# classes, for their names here are gone when the interpreter exits.
BUILDERS: list[Callable[..., Any]] = [
    lambda number, cls=RouteDistinguisher: cls(number.to_bytes(8, 'big')),
    lambda number, cls=PathInfo: cls(number.to_bytes(4, 'big')),
    lambda number, cls=ESI: cls(number.to_bytes(10, 'big')),
    lambda number, cls=EthernetTag: cls(number),
    lambda number, cls=Labels: cls.unpack(number.to_bytes(3, 'big')),
    lambda number, cls=NextHop: cls.unpack(number.to_bytes(4, 'big')),
    lambda number, cls=Labels: cls([number]),
    lambda number, cls=Labels: cls([number, 3]),
    lambda number, cls=PathInfo: cls(integer=2**24 + number),
]


SESSION = negotiated_session(Neighbor(), NLRI.known_families(), [], True)


def decode(number: int) -> Any:
    """Return the attribute set of an UPDATE that has the number as its metric."""
    withdrawn = b'\0\4\x18\x0a\0\0'  # so that ExaBGP keeps no set for the UPDATE to come
    metric = b'\x80\4\4' + number.to_bytes(4, 'big') + b'\x80\x0f\7\0\1\1\x18\x0a\0\1'
    return Update.unpack_message(withdrawn + len(metric).to_bytes(2, 'big') + metric, Direction.IN, SESSION).attributes


def decode_attribute(number: int) -> Any:
    """Return the local preference that has the number."""
    octets = number.to_bytes(4, 'big')
    return Attribute.unpack(Attribute.CODE(Attribute.CODE.LOCAL_PREF), 0x40, octets, Direction.IN, SESSION)


# Attribute sets, at the place where one becomes shared, and by way of ExaBGP's decoder; and attributes.  Not at exit,
# for that does not work any more then.
DECODERS: list[Callable[..., Any]] = [
    lambda number: received.Received._share(b'%d' % number, StockAttributes()),
    decode,
    decode_attribute,
]

HOOKS = (parts.HOOKS, received.HOOKS)
CLASSES = (RouteDistinguisher, Labels, PathInfo, ESI, EthernetTag, NextHop, received.Received)
TABLES = [*(cls._table for cls in CLASSES), parts.TABLE]
