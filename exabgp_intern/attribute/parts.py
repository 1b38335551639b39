"""Path attributes: all sets that have the same attribute, or the same community in it, share one object.

The key of an attribute is its code, its flags, its octets, and the negotiated options that decide how the octets
decode.  The key of a community is its octets.  Their number is different for each kind of community.

An object enters the table when its value is seen for the second time (see sightings.py).  The first object stays
ExaBGP's own.  So each value has one shared object, and at most one other.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

from exabgp.bgp.message.update.attribute import Attribute, attributes
from exabgp.bgp.message.update.attribute.community.extended.community import (
    ExtendedCommunity,
    ExtendedCommunityBase,
    ExtendedCommunityIPv6,
)
from exabgp.bgp.message.update.attribute.community.initial.community import Community
from exabgp.bgp.message.update.attribute.community.large.community import LargeCommunity

from exabgp_intern.attribute.octets import EXTENDED_LENGTH, MP_NLRI, NEXT_HOP, agreed
from exabgp_intern.attribute.sightings import Repeated
from exabgp_intern.canonical import Shared
from exabgp_intern.hooks import Hook, Hooks

__all__ = ('HOOKS', 'TABLE', 'known')

LENGTHS = {Community: 4, ExtendedCommunity: 8, LargeCommunity: 12, ExtendedCommunityIPv6: 20}  # octets
COMMUNITIES = (Community, LargeCommunity, ExtendedCommunityBase)  # the classes that decode one

# A key starts with what the session has agreed on, which is 0 to 3, or with one of these:
UNKNOWN, COMMUNITY = b'\4', b'\5'

# ExaBGP makes an object for the code of each attribute that it decodes.  It stays in the set, as the key.
CODES = {code: Attribute.CODE(code) for code in range(256)}

TABLE = Repeated()


def _unpack(stock: Any) -> Any:
    def unpack(cls: Any, attribute_id: Any, flag: Any, data: Any, direction: Any, negotiated: Any) -> Any:
        """Decode one path attribute as ExaBGP's `Attribute.unpack`, which this replaces."""
        code = CODES.get(attribute_id, attribute_id)
        session = None if code in MP_NLRI else agreed(negotiated)
        if session is None or type(data) is not bytes:
            return stock(cls, code, flag, data, direction, negotiated)
        try:
            key = bytes((session, code, flag | EXTENDED_LENGTH)) + data
        except (TypeError, ValueError):  # no attribute has such a code, or such flags
            return stock(cls, code, flag, data, direction, negotiated)
        shared = TABLE.find(key)
        if shared is None:
            shared = stock(cls, code, flag, data, direction, negotiated)
            # A next hop only if it is canonical: NoNextHop is compared by identity, and ExaBGP's own can be changed.
            if code != NEXT_HOP or isinstance(shared, Shared):
                shared = TABLE.keep_repeated(key, shared)
        return shared

    return unpack


def _unpack_community(stock: Any) -> Any:
    def unpack(cls: Any, data: Any, direction: Any = None, negotiated: Any = None) -> Any:
        """Decode one community as ExaBGP's `unpack`, which this replaces."""
        if type(data) is not bytes or len(data) != LENGTHS.get(cls):
            return stock(cls, data, direction, negotiated)
        key = COMMUNITY + data
        shared = TABLE.find(key)
        return TABLE.keep_repeated(key, stock(cls, data, direction, negotiated)) if shared is None else shared

    return unpack


def _generic(stock: Any) -> Any:
    def generic(code: Any, flag: Any, data: Any) -> Any:
        """Return an attribute that ExaBGP does not know, as its `GenericAttribute`, which this replaces."""
        code = CODES.get(code, code)
        if type(data) is not bytes:
            return stock(code, flag, data)
        key = UNKNOWN + bytes((code, flag)) + data
        shared = TABLE.find(key)
        return TABLE.keep_repeated(key, stock(code, flag, data)) if shared is None else shared

    return generic


HOOKS = Hooks(
    [
        Hook(Attribute, 'unpack', _unpack),
        Hook(attributes, 'GenericAttribute', _generic),
        *(Hook(cls, 'unpack', _unpack_community) for cls in COMMUNITIES),
    ]
)


def known() -> bool:
    """Return whether ExaBGP decodes attributes and communities as 4.2 and 5.0 do."""
    return (
        tuple(signature(Attribute.unpack).parameters) == ('attribute_id', 'flag', 'data', 'direction', 'negotiated')
        and tuple(signature(attributes.GenericAttribute).parameters) == ('code', 'flag', 'data')
        and all(isinstance(vars(cls).get('unpack'), classmethod) for cls in (Attribute, *COMMUNITIES))
        and all(len(signature(cls.unpack).parameters) == 3 for cls in COMMUNITIES)
    )
