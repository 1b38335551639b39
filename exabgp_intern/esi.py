"""The Ethernet Segment Identifier, RFC 7432 section 5."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.esi import ESI as Stock

from exabgp_intern.canonical import KEY, Canonical, refusing_as

__all__ = ('ESI',)


class ESI(Canonical, Stock):
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
    def _call_of(cls, refs: Any) -> Any:
        def call(self: Any, esi: Any = None) -> Any:
            try:
                made = refs[esi]()
                if made is not None:
                    return made
            except Exception:  # not there, or cannot be
                pass
            return self._table.intern(esi, self, esi) if type(esi) is bytes and len(esi) == 10 else self._construct(esi)

        return refusing_as(Stock.__init__, call)

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        return cls._octets(made.esi)
