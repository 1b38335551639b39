"""How ExaBGP 4.2 and 5.0 agree with a peer, decode an UPDATE and store its routes.

exabgp_intern/exabgp6/loading.py has the same functions for ExaBGP 6.
"""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message import Open, Update
from exabgp.bgp.message.direction import Direction
from exabgp.bgp.message.open import ASN, HoldTime, RouterID, Version
from exabgp.bgp.message.open.capability import AddPath, Capabilities, Capability, Negotiated
from exabgp.bgp.message.open.capability.asn4 import ASN4
from exabgp.bgp.message.update.attribute import Attribute
from exabgp.bgp.message.update.eor import EOR
from exabgp.protocol.family import AFI, SAFI
from exabgp.rib.change import Change

from exabgp_intern import lines

__all__ = ('decoded', 'family', 'negotiated_session', 'negotiated_with', 'open_of', 'store')


def family(afi: int, safi: int) -> tuple[Any, Any]:
    return AFI.create(afi), SAFI.create(safi)


def open_of(body: bytes) -> Any:
    return Open.unpack_message(body)


def negotiated_with(neighbor: Any) -> Any:
    return Negotiated(neighbor)


def negotiated_session(neighbor: Any, families: Any, addpath: Any, asn4: bool) -> Any:
    """Return what a session has agreed on if both ends speak the same."""
    capabilities = Capabilities()
    capabilities[Capability.CODE.MULTIPROTOCOL] = families
    capabilities[Capability.CODE.ADD_PATH] = AddPath(addpath, 3)  # both ways, so that it shows in the packed form
    if asn4:
        capabilities[Capability.CODE.FOUR_BYTES_ASN] = ASN4(65000)
    message = Open(Version(4), ASN(65000), HoldTime(180), RouterID('192.0.2.1'), capabilities)
    negotiated = Negotiated(neighbor)
    negotiated.sent(message)
    negotiated.received(message)
    return negotiated


def decoded(body: bytes, negotiated: Any) -> tuple[Any, list[tuple[Any, bool]]] | None:
    """Return the attributes of an UPDATE and its routes, each with whether it is withdrawn, or None for End-of-RIB.

    Raises what ExaBGP raises.
    """
    update = Update.unpack_message(body, Direction.IN, negotiated)
    if isinstance(update, EOR):
        return None
    _, withdraw = lines.actions()
    treated = Attribute.CODE.INTERNAL_TREAT_AS_WITHDRAW in update.attributes
    routes = []
    for nlri in update.nlris:
        if treated:
            nlri.action = withdraw
        routes.append((Change(nlri, update.attributes), nlri.action == withdraw))
    return update.attributes, routes


def store(rib: Any, route: Any, withdrawn: bool) -> None:
    """Store a route in an adj-rib-in, or take it away."""
    rib.update_cache(route)
