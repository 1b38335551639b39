"""The Ethernet Segment Identifier, RFC 7432 section 5."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.esi import ESI as Stock

from exabgp_intern.canonical import KEY, Canonical, CanonicalType, refusing_as

__all__ = ('ESI',)


class _Call(CanonicalType):
    @refusing_as(Stock.__init__)
    def __call__(cls: Any, esi: Any = None) -> Any:
        try:
            made = _refs[esi]()
            if made is not None:
                return made
        except Exception:  # not there, or cannot be
            pass
        return cls._table.intern(esi, cls, esi) if type(esi) is bytes and len(esi) == 10 else cls._construct(esi)


class ESI(Canonical, Stock, metaclass=_Call):
    """ExaBGP's ESI, one instance a value: `ESI(esi=None)` with `esi` 10 octets, None for all zero.

    Raises what ExaBGP's does: Exception for another length.
    """

    __slots__ = ()

    _stock = Stock
    _state = ('esi',)
    _parameters = ('esi',)
    _samples = ({}, {'esi': bytes(range(10))})
    _lengths = (10,)

    esi = KEY

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        return cls._octets(made.esi)


_refs = ESI._table.data
