"""Received routes: one attribute set for all UPDATEs that have the same attributes.

MP_REACH_NLRI and MP_UNREACH_NLRI have the routes in them, and do not count.

The key of a set has two parts: what the session has agreed on that decides what the octets mean, and the octets of the
attributes in their order.  The table is asked before the attributes are parsed.  On a hit ExaBGP decodes the UPDATE
without them.  On a miss it decodes the whole UPDATE.  The set that it made goes into the table if its attributes came
before (see sightings.py).

ExaBGP keeps the set of the last UPDATE without an MP attribute, and takes it for the next UPDATE with the same octets.
A set from the table is put there for an UPDATE without an MP attribute.  From ExaBGP 5.0.2 on each session keeps a set
of its own.  Before, there is one for all sessions, whatever they have agreed on, so it is forgotten after each UPDATE.

Only sets in which ExaBGP finds no error are shared.  On a hit with an MP attribute, ExaBGP decodes the whole UPDATE all
the same if the lengths of its attributes are not exact, or if the rest raises or has an attribute besides NEXT_HOP.
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
    """A set that one UPDATE has.  It is as ExaBGP's, but it has no dict for its texts before one is asked for."""

    _str = _idx = _json = ''
    _dict: ClassVar[dict[str, Any]] = {}
    cacheable = True

    __init__ = dict.__init__
    __reduce_ex__ = Attributes.__reduce_ex__

    @classmethod
    def _of(cls, attributes: Any) -> Any:
        """Return a set of this class, or `attributes` if ExaBGP gave it more than empty texts."""
        return cls(attributes) if vars(attributes) == TEXTS else attributes


# 5.0.1 keeps the set of the UPDATE before for sessions of all kinds, later releases for one session.
CACHE_OF_ALL = hasattr(Stock, 'cached')

TEXTS = {name: getattr(Single, name) for name in ('_str', '_idx', '_json', '_dict', 'cacheable')}
if not hasattr(Stock, 'as_dict'):
    del TEXTS['_dict']  # before ExaBGP 5.0.2


def _give_next_hop(update: Any, next_hop: Any) -> Any:
    """Give the routes that have the next hop of an UPDATE's own attributes `next_hop`, and return that."""
    own = update.attributes[NEXT_HOP]
    for nlri in update.nlris if next_hop is not own else ():
        if getattr(nlri, 'nexthop', None) is own:  # routes of some families have none
            nlri.nexthop = next_hop
    return next_hop


def _unpack_message(stock: Any) -> Any:
    def unpack_message(cls: Any, data: Any, direction: Any, negotiated: Any) -> Any:
        """Decode the body of an UPDATE as ExaBGP's `Update.unpack_message`, which this stands for."""
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
        try:
            update = stock(cls, data, direction, negotiated)
        finally:
            if CACHE_OF_ALL:
                Stock.cached = None
        if shared is not None:
            entry.hits += 1
            return update
        own: Any = update.attributes if type(update) is Update else None
        if type(own) is Stock and own.keys().isdisjoint(ERRORS):
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
