"""The Route Distinguisher, RFC 4364 section 4.2."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier import rd

from exabgp_intern.canonical import Canonical, Shared, looked_up, read_only, slots, stock_of

__all__ = ('RouteDistinguisher',)

Stock: Any = stock_of(rd.RouteDistinguisher)


class RouteDistinguisher(Canonical, Stock):
    """ExaBGP's RouteDistinguisher, one instance for each value: `RouteDistinguisher(rd)` with `rd` 8 octets."""

    __slots__ = ()

    _stock = Stock
    _state = ('rd', '_len')
    _length = 8
    _sentinel = 'NORD'
    _parameters = ('rd',)
    _samples = ({'rd': bytes(8)}, {'rd': b'\0\1\x0a\0\0\1\0\2'}, {'rd': b''})

    def __new__(cls, rd: Any = ...) -> Any:
        try:
            shared = cls._refs[rd]()
            if shared is not None:
                return shared
        except Exception:  # no such key, or not hashable
            pass
        return cls._construct(rd)

    unpack = looked_up(Stock.unpack.__func__)


class _SharedRouteDistinguisher(Shared, RouteDistinguisher):
    __slots__ = slots(Stock, 'rd')
    __dict__ = read_only

    _len = property(lambda self: len(self.rd))  # ExaBGP's attribute

    def __len__(self) -> int:
        return len(self.rd)  # ExaBGP's reads `_len`, which is slower, and every route is asked for its length

    def __copy__(self) -> Any:
        # ExaBGP's `__copy__` returns NORD for an empty value.  ExaBGP before 5.0.7 has no `__copy__`.
        return self if self.rd or not hasattr(Stock, '__copy__') else self.NORD
