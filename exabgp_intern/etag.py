"""The Ethernet Tag, RFC 7432 section 5."""

from __future__ import annotations

from struct import Struct
from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.etag import EthernetTag as Stock

from exabgp_intern.canonical import KEY, Canonical, CanonicalType, refusing_as

__all__ = ('EthernetTag',)


class _Call(CanonicalType):
    @refusing_as(Stock.__init__)
    def __call__(cls: Any, tag: Any = 0) -> Any:
        if type(tag) is int:  # True and 1.0 are equal to 1
            try:
                made = cls._refs[tag]()
                if made is not None:
                    return made
            except KeyError:
                pass
            if cls._plain:
                return cls._table.intern(tag, cls)
        return super().__call__(tag)


class EthernetTag(Canonical, Stock, metaclass=_Call):
    """ExaBGP's EthernetTag, one instance a value: `EthernetTag(tag=0)`, an int of 32 bits."""

    __slots__ = ()

    _stock = Stock
    _state = ('tag',)
    _parameters = ('tag',)
    _samples = ({}, {'tag': 1000})

    tag = KEY

    _number = staticmethod(Struct('!L').unpack)  # half the time of int.from_bytes

    @classmethod
    def unpack(cls, data: Any) -> Any:
        """Return the canonical instance for the 4 octets at the head of `data`."""
        try:
            made = cls._refs[cls._number(data)[0]]()
            if made is not None:
                return made
        except Exception:  # not there, or cannot be
            pass
        return super().unpack(data)

    from_packed = unpack  # type: ignore[assignment]

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        # exactly int: True and 1.0 are equal to 1 and print differently
        return made.tag if type(made.tag) is int else None
