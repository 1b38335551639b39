"""Received routes of ExaBGP 6: one attribute set for all UPDATEs that have the same attributes, and one next hop.

This does what exabgp_intern/attribute/received.py says, for the classes of ExaBGP 6.  There a route has its next hop
beside the set, and ExaBGP makes a new one for each UPDATE, or for each route.

ExaBGP caches the set of the last UPDATE without an MP attribute, in one cache for all sessions.  Only the octets are
compared.  But the same octets decode differently in a session that has negotiated other options.  So ExaBGP may use
the cached set here only if both sessions have negotiated the same.  Otherwise the cache is cleared, or the set in the
table is put into it.
"""

from __future__ import annotations

from inspect import signature
from typing import Any, ClassVar

from exabgp.bgp.message.update import UpdateCollection
from exabgp.bgp.message.update.attribute import MPRNLRI, AttributeCollection
from exabgp.logger.option import option

from exabgp_intern.attribute import sightings
from exabgp_intern.attribute.octets import NEXT_HOP, agreed, only_has, split
from exabgp_intern.exabgp6.nexthops import shared_next_hop
from exabgp_intern.exabgp6.sets import UNSHARED, Attributes
from exabgp_intern.hooks import Hook, Hooks
from exabgp_intern.table import Counting

__all__ = ('HOOKS', 'TABLE', 'known')


class Received(Attributes):
    """A set that UPDATEs share."""

    _table = Counting()
    _refs: ClassVar[dict[bytes, Any]] = _table.data


def _share_next_hops(update: Any) -> None:
    """Give the routes of an UPDATE that ExaBGP has just made the shared next hops."""
    octets = shared = None
    for routed in update.announces:
        own = routed.nexthop
        if own._packed != octets:
            octets, shared = own._packed, shared_next_hop(own)
        if shared is not own:
            object.__setattr__(routed, 'nexthop', shared)  # of a frozen dataclass


def _only_reach(body: bytes) -> bytes | None:
    """Return the value of MP_REACH_NLRI if there is nothing else in the body of an UPDATE."""
    if len(body) < 9 or body[:2] != b'\0\0' or body[5] != MPRNLRI.ID:
        return None
    if body[4] == 0x80 and 7 + body[6] == len(body):
        return body[7:]
    if body[4] == 0x90 and 8 + (body[6] << 8 | body[7]) == len(body):
        return body[8:]
    return None


def _decode(stock: Any, cls: Any, body: bytes, negotiated: Any) -> Any:
    """Decode an UPDATE without the shared attributes.  If it has only MP_REACH_NLRI, ExaBGP needs fewer steps."""
    value = _only_reach(body)
    if value is None:
        return stock(cls, body, negotiated)
    reach: Any = MPRNLRI.unpack_attribute(value, negotiated)
    return cls(list(reach.iter_routed()), [], AttributeCollection())


def _warned_of(attributes: Any, negotiated: Any) -> bool:
    """Return whether the next hop in a set is the address of this speaker, about which ExaBGP logs a warning."""
    next_hop = attributes._data.get(NEXT_HOP)
    session = getattr(getattr(negotiated, 'neighbor', None), 'session', None)
    return (
        next_hop is not None and getattr(getattr(session, 'local_address', None), '_packed', None) == next_hop._packed
    )


def _is_logged() -> bool:
    """Return whether ExaBGP logs the attributes that it parses, or which kinds of routes an UPDATE does not have."""
    return option.log_enabled('parser', 'DEBUG') or option.log_enabled('routes', 'DEBUG')


def _parse_payload(stock: Any) -> Any:
    before: tuple[Any, Any] = None, None  # what the session agreed on whose set ExaBGP keeps, and its octets

    def parse_payload(cls: Any, data: Any, negotiated: Any) -> Any:
        """Decode the body of an UPDATE as ExaBGP's `UpdateCollection._parse_payload`, which this replaces."""
        nonlocal before
        session = agreed(negotiated)
        if AttributeCollection.cached is not None:
            octets = AttributeCollection.previous
            if session is None or session != before[0] or octets is not before[1]:
                AttributeCollection.cached = None
            elif only_has(data, octets):
                update = stock(cls, data, negotiated)  # ExaBGP takes the set of the UPDATE before
                _share_next_hops(update)
                return update
        key, rest = split(data, session, Received._refs) or (b'', None)
        entry: Any = None if rest is None else Received._refs.get(key)
        shared = entry and entry()
        if shared is not None and not _is_logged():
            if not rest:
                AttributeCollection.previous, AttributeCollection.cached = key[1:], shared
                before = session, AttributeCollection.previous
                entry.hits += 1
                update = stock(cls, data, negotiated)
                _share_next_hops(update)
                return update
            if not _warned_of(shared, negotiated):
                try:
                    update = _decode(stock, cls, rest, negotiated)
                except Exception:
                    update = None  # let ExaBGP decide about the whole UPDATE
                if type(update) is UpdateCollection and update.attributes._data.keys() <= {NEXT_HOP}:
                    update._attributes = shared
                    entry.hits += 1
                    _share_next_hops(update)
                    return update
        before_this = AttributeCollection.cached
        update = stock(cls, data, negotiated)
        if type(update) is UpdateCollection:
            own = update.attributes
            # A set from the cache is that of an earlier UPDATE already, and whoever has that may have changed it.
            new = own is not before_this and UNSHARED.isdisjoint(own._data)
            if new and rest is not None and sightings.seen_before(key):
                own = update._attributes = Received._share(key, own)
            if AttributeCollection.cached is own:
                before = session, AttributeCollection.previous
            _share_next_hops(update)
        return update

    return parse_payload


TABLE = Received._table
HOOKS = Hooks([Hook(UpdateCollection, '_parse_payload', _parse_payload)])


def known() -> bool:
    """Return whether decoding has the shape of ExaBGP 6."""
    return (
        isinstance(vars(UpdateCollection).get('_parse_payload'), classmethod)
        and tuple(signature(UpdateCollection._parse_payload).parameters) == ('data', 'negotiated')
        and tuple(signature(AttributeCollection.unpack).parameters) == ('data', 'negotiated')
        and hasattr(AttributeCollection, 'cached')
        and tuple(signature(MPRNLRI.unpack_attribute).parameters) == ('data', 'negotiated')
    )
