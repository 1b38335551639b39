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
        try:
            made: Any = _refs[tag]()
            # True and 1.0 are equal to 1; that a small number, as most tags are, is the same object is seen sooner
            if made.tag is tag or type(tag) is int:
                return made
        except Exception:  # not there, dead and so None, or cannot be
            pass
        return cls._table.intern(tag, cls, tag) if type(tag) is int else cls._construct(tag)


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
            tag = cls._number(data)[0]
            made = cls._refs[tag]()
            if made is not None:
                return made
        except KeyError:
            return cls(tag)
        except Exception:  # cannot be there
            pass
        return super().unpack(data)

    @classmethod
    def _from_packed_of(cls) -> Any:
        refs, number, intern, general = cls._table.data, cls._number, cls._table.intern, cls.from_packed

        def miss(tag: int) -> Any:
            return intern(tag, cls, tag)

        def from_packed(packed: Any) -> Any:
            try:
                tag = number(packed)[0]
                made = refs[tag]()
                if made is not None:
                    return made
            except KeyError:
                return miss(tag)
            except Exception:  # cannot be there
                pass
            return general(packed)

        return from_packed

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        # exactly int: True and 1.0 are equal to 1 and print differently
        return made.tag if type(made.tag) is int else None


_refs = EthernetTag._table.data
