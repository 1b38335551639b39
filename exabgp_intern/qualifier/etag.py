"""The Ethernet Tag, RFC 7432 section 5."""

from __future__ import annotations

from struct import Struct
from typing import Any

from exabgp.bgp.message.update.nlri.qualifier import etag

from exabgp_intern.canonical import Canonical, Shared, read_only, slots, stock_of

__all__ = ('EthernetTag',)

Stock: Any = stock_of(etag.EthernetTag)


class EthernetTag(Canonical, Stock):
    """ExaBGP's EthernetTag, one instance a value: `EthernetTag(tag=0)`, an int of 32 bits."""

    __slots__ = ()

    _stock = Stock
    _state = ('tag',)
    _parameters = ('tag',)
    _samples = ({'tag': 0}, {'tag': 1000})

    _number = staticmethod(Struct('!L').unpack)

    def __new__(cls, tag: Any = ...) -> Any:
        try:
            shared = cls._refs[tag]()
            # exactly int: True and 1.0 are equal to 1, and print differently
            if shared is not None and type(tag) is int:
                return shared
        except Exception:  # no such key, or not hashable
            pass
        return cls._construct(tag)

    @classmethod
    def unpack(cls, data: Any) -> Any:
        """Return the instance for the 4 octets at the head of `data`."""
        # Python 3.9 crashes at exit, instead of refusing, if a Struct is given another number of octets
        if type(data) is bytes and len(data) == 4 and cls is cls._canonical:
            (tag,) = cls._number(data)
            entry = cls._refs.get(tag)
            shared = entry and entry()
            return cls._make(tag) if shared is None else shared
        return cls._stock.unpack.__func__(cls, data)

    from_packed = unpack

    @classmethod
    def _key_of(cls, instance: Any) -> Any:
        return instance.tag if type(instance.tag) is int else None


class _SharedEthernetTag(Shared, EthernetTag):
    __slots__ = slots(Stock, 'tag')
    __dict__ = read_only
