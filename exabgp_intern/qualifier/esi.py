"""The Ethernet Segment Identifier, RFC 7432 section 5."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier import esi

from exabgp_intern.canonical import Canonical, Shared, looked_up, read_only, slots, stock_of

__all__ = ('ESI',)

Stock: Any = stock_of(esi.ESI)


class ESI(Canonical, Stock):
    """ExaBGP's ESI, one instance a value: `ESI(esi=None)` with `esi` 10 octets, None for all zero.

    Raises what ExaBGP's does: Exception for another length.
    """

    __slots__ = ()

    _stock = Stock
    _state = ('esi',)
    _length = 10
    _parameters = ('esi',)
    _samples = ({'esi': None}, {'esi': bytes(range(10))})

    def __new__(cls, esi: Any = ...) -> Any:
        try:
            shared = cls._refs[esi]()
            if shared is not None:
                return shared
        except Exception:  # no such key, or not hashable
            pass
        return cls._construct(esi)

    unpack = looked_up(Stock.unpack.__func__)


class _SharedESI(Shared, ESI):
    __slots__ = slots(Stock, 'esi')
    __dict__ = read_only
