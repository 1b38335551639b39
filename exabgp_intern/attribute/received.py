"""Received routes: one attribute set for all UPDATEs that have the same attributes.

MP_REACH_NLRI and MP_UNREACH_NLRI contain the routes, so they are not part of the key.

The key of a set has two parts: the negotiated options that decide how the octets decode, and the octets of the
attributes in their order.  The table is searched before the attributes are parsed.  On a hit ExaBGP decodes the UPDATE
without these attributes.  On a miss it decodes the whole UPDATE.  The set that it made enters the table if its key was
seen before (see sightings.py).

ExaBGP caches the set of the last UPDATE without an MP attribute, and uses it for the next UPDATE with the same octets.
On a hit for an UPDATE without an MP attribute, the shared set is put into that cache.  From ExaBGP 5.0.2 on, each
session has a cache of its own.  Before 5.0.2, all sessions have one cache, whatever they have negotiated.  So it is
cleared after each UPDATE.

Only sets in which ExaBGP finds no error are shared.  In three cases ExaBGP decodes the whole UPDATE even on a hit with
an MP attribute: the lengths of the attributes are wrong, decoding the rest raises an exception, or the rest has an
attribute other than NEXT_HOP.
"""

from __future__ import annotations

from inspect import signature
from typing import Any, ClassVar

from exabgp.bgp.message.update import Update
from exabgp.bgp.message.update.attribute import Attribute
from exabgp.logger import option

from exabgp_intern.attribute import sightings
from exabgp_intern.attribute.frozen import frozen
from exabgp_intern.attribute.octets import NEXT_HOP, agreed, only_has, split
from exabgp_intern.attribute.sets import Attributes, Stock
from exabgp_intern.canonical import Shared
from exabgp_intern.hooks import Hook, Hooks
from exabgp_intern.table import Counting

__all__ = ('HOOKS', 'TABLE', 'known')

ERRORS = (Attribute.CODE.INTERNAL_TREAT_AS_WITHDRAW, Attribute.CODE.INTERNAL_DISCARD)


class Received(Attributes):
    """A set that UPDATEs share."""

    _table = Counting()
    _refs: ClassVar[dict[bytes, Any]] = _table.data


class Single(Stock):
    """A set that only one UPDATE has.  It behaves as ExaBGP's, but has no `__dict__` until a string of it is cached."""

    _str = _idx = _json = ''
    _dict: ClassVar[dict[str, Any]] = {}
    cacheable = True

    __init__ = dict.__init__
    __reduce_ex__ = Attributes.__reduce_ex__

    @classmethod
    def _of(cls, attributes: Any) -> Any:
        """Return a set of this class, or `attributes` if ExaBGP gave it more than empty texts."""
        return cls(attributes) if vars(attributes) == TEXTS else attributes


# ExaBGP 5.0.1 caches the set of the previous UPDATE for all sessions together, later releases for each session.
CACHE_OF_ALL = hasattr(Stock, 'cached')

TEXTS = {name: getattr(Single, name) for name in ('_str', '_idx', '_json', '_dict', 'cacheable')}
if not hasattr(Stock, 'as_dict'):
    del TEXTS['_dict']  # before ExaBGP 5.0.2


def _give_next_hop(update: Any, next_hop: Any) -> Any:
    """Replace the next hop of an UPDATE's own attributes by `next_hop` in its routes, and return `next_hop`."""
    own = update.attributes[NEXT_HOP]
    for nlri in update.nlris if next_hop is not own else ():
        if getattr(nlri, 'nexthop', None) is own:  # routes of some families have none
            nlri.nexthop = next_hop
    return next_hop


def _unpack_message(stock: Any) -> Any:
    def unpack_message(cls: Any, data: Any, direction: Any, negotiated: Any) -> Any:
        """Decode the body of an UPDATE as ExaBGP's `Update.unpack_message`, which this replaces."""
        wire = getattr(negotiated, 'cached_wire', b'')  # of the set that the session keeps
        if wire and only_has(data, wire):
            return stock(cls, data, direction, negotiated)  # ExaBGP takes the set of the UPDATE before
        found = split(data, agreed(negotiated), Received._refs)
        if found is None:
            return stock(cls, data, direction, negotiated)
        key, rest = found
        entry: Any = None if rest is None else Received._refs.get(key)
        shared = entry and entry()
        # ExaBGP's debug log has every attribute of an UPDATE that it parses
        if shared is not None and option.log_enabled('parser', 'DEBUG'):
            shared = None
        if shared is not None and rest:
            try:
                update = stock(cls, rest, direction, negotiated)
            except Exception:
                update = None  # let ExaBGP decide about the whole UPDATE
            if type(update) is Update and update.attributes.keys() <= {NEXT_HOP}:
                if update.attributes:
                    _give_next_hop(update, shared[NEXT_HOP])
                update.attributes = shared
                entry.hits += 1
                return update
            shared = None
        if CACHE_OF_ALL:
            Stock.previous, Stock.cached = key[1:], shared
        elif shared is not None:
            negotiated.cached_wire, negotiated.cached_attributes = key[1:], shared
        # A set from the cache is that of an earlier UPDATE already, and whoever has that may have changed it.
        before_this = None if CACHE_OF_ALL else negotiated.cached_attributes
        try:
            update = stock(cls, data, direction, negotiated)
        finally:
            if CACHE_OF_ALL:
                Stock.cached = None
        if shared is not None:
            entry.hits += 1
            return update
        own: Any = update.attributes if type(update) is Update else None
        if type(own) is Stock and own is not before_this and own.keys().isdisjoint(ERRORS):
            if rest is None or not sightings.seen_before(key):
                update.attributes = Single._of(own)
            else:
                if not isinstance(own.get(NEXT_HOP), (Shared, type(None))):  # its class is not interned
                    own[NEXT_HOP] = _give_next_hop(update, frozen(own[NEXT_HOP]))
                update.attributes = Received._share(key, own)
            if not CACHE_OF_ALL and negotiated.cached_attributes is own:
                negotiated.cached_attributes = update.attributes
        return update

    return unpack_message


TABLE = Received._table
HOOKS = Hooks([Hook(Update, 'unpack_message', _unpack_message)])


def known() -> bool:
    """Return whether decoding has the shape of ExaBGP 5.0."""
    return (
        issubclass(Stock, dict)
        and isinstance(vars(Update).get('unpack_message'), classmethod)
        and tuple(signature(Update.unpack_message).parameters) == ('data', 'direction', 'negotiated')
        and tuple(signature(Stock.unpack).parameters) == ('data', 'direction', 'negotiated')
    )
