"""The Ethernet Tag, RFC 7432 section 5."""

from __future__ import annotations

from struct import Struct
from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.etag import EthernetTag as Stock

from exabgp_intern.canonical import KEY, Canonical, refusing_as

__all__ = ('EthernetTag',)


class EthernetTag(Canonical, Stock):
    """ExaBGP's EthernetTag, one instance a value: `EthernetTag(tag=0)`, an int of 32 bits."""

    __slots__ = ()

    _stock = Stock
    _state = ('tag',)
    _parameters = ('tag',)
    _samples = ({}, {'tag': 1000})

    tag = KEY

    _number = staticmethod(Struct('!L').unpack)  # half the time of int.from_bytes

    @classmethod
    def _call_of(cls, refs: Any) -> Any:
        def call(self: Any, tag: Any = 0) -> Any:
            try:
                made: Any = refs[tag]()
                # True and 1.0 are equal to 1; that a small number, as most tags are, is the same object is seen sooner
                if made.tag is tag or type(tag) is int:
                    return made
            except Exception:  # not there, dead and so None, or cannot be
                pass
            return self._table.intern(tag, self, tag) if type(tag) is int else self._construct(tag)

        return refusing_as(Stock.__init__, call)

    @classmethod
    def unpack(cls, data: Any) -> Any:
        """Return the canonical instance for the 4 octets at the head of `data`."""
        try:
            if len(data) == 4:  # at its exit Python 3.9 crashes, instead of refusing, if a Struct is given others
                made = cls._refs[cls._number(data)[0]]()
                if made is not None:
                    return made
        except Exception:  # not there, or cannot be
            pass
        return super().unpack(data)

    @classmethod
    def _from_packed_of(cls, refs: Any) -> Any:
        number, intern, general = cls._number, cls._table.intern, cls.from_packed

        def miss(packed: Any) -> Any:
            if type(packed) is bytes and len(packed) == 4:
                tag = number(packed)[0]
                return intern(tag, cls, tag)
            return general(packed)

        def from_packed(packed: Any) -> Any:
            try:
                if len(packed) == 4:
                    made = refs[number(packed)[0]]()
                    if made is not None:
                        return made
            except Exception:  # not there, or cannot be
                pass
            return miss(packed)

        return from_packed

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        # exactly int: True and 1.0 are equal to 1 and print differently
        return made.tag if type(made.tag) is int else None
