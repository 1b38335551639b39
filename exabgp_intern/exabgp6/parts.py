"""Path attributes of ExaBGP 6: one object for all sets that have the same.

This does what exabgp_intern/attribute/parts.py says.  In ExaBGP 6 an attribute is its octets: it holds no communities,
and its next hop has no canonical class, so that the next hop is shared here.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

from exabgp.bgp.message.update.attribute import Attribute, GenericAttribute
from exabgp.bgp.message.update.attribute.attribute import Discard, TreatAsWithdraw

from exabgp_intern.attribute.octets import EXTENDED_LENGTH, agreed
from exabgp_intern.attribute.sightings import Repeated
from exabgp_intern.exabgp6.sets import UNSHARED
from exabgp_intern.hooks import Hook, Hooks

__all__ = ('HOOKS', 'TABLE', 'known')

UNKNOWN = b'\4'  # a key starts with this, or with what the session has agreed on, which is 0 to 3
ERRORS = (Discard, TreatAsWithdraw)

TABLE = Repeated()


def _unpack(stock: Any) -> Any:
    def unpack(cls: Any, attribute_id: Any, flag: Any, data: Any, negotiated: Any) -> Any:
        """Decode one path attribute as ExaBGP's `Attribute.unpack`, which this replaces."""
        session = None if attribute_id in UNSHARED else agreed(negotiated)
        # for no octets ExaBGP returns a singleton, and compares it by its identity
        if session is None or type(data) is not bytes or not data:
            return stock(cls, attribute_id, flag, data, negotiated)
        try:
            key = bytes((session, attribute_id, flag | EXTENDED_LENGTH)) + data
        except (TypeError, ValueError):  # no attribute has such a code, or such flags
            return stock(cls, attribute_id, flag, data, negotiated)
        shared = TABLE.find(key)
        if shared is None:
            made = stock(cls, attribute_id, flag, data, negotiated)
            shared = made if isinstance(made, ERRORS) else TABLE.keep_repeated(key, made)
        return shared

    return unpack


def _make_generic(stock: Any) -> Any:
    def make_generic(cls: Any, code: Any, flag: Any, data: Any) -> Any:
        """Return an attribute that ExaBGP does not know, as `GenericAttribute.make_generic`, which this replaces."""
        if type(data) is not bytes or not data:
            return stock(cls, code, flag, data)
        key = UNKNOWN + bytes((code, flag)) + data
        shared = TABLE.find(key)
        return TABLE.keep_repeated(key, stock(cls, code, flag, data)) if shared is None else shared

    return make_generic


HOOKS = Hooks([Hook(Attribute, 'unpack', _unpack), Hook(GenericAttribute, 'make_generic', _make_generic)])


def known() -> bool:
    """Return whether ExaBGP decodes attributes as 6 does."""
    return (
        all(isinstance(vars(hook._owner).get(hook._name), classmethod) for hook in HOOKS)
        and tuple(signature(Attribute.unpack).parameters) == ('attribute_id', 'flag', 'data', 'negotiated')
        and tuple(signature(GenericAttribute.make_generic).parameters) == ('code', 'flag', 'data')
    )
