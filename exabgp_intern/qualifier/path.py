"""The Path Identifier, RFC 7911 section 3."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier import path

from exabgp_intern.canonical import Canonical, Shared, read_only, slots, stock_of

__all__ = ('PathInfo',)

Stock: Any = stock_of(path.PathInfo)


class PathInfo(Canonical, Stock):
    """ExaBGP's PathInfo, one instance a value: `PathInfo(packed=None, integer=None, ip=None)`.

    `packed` is 4 octets, `integer` an int of 32 bits, `ip` a dotted quad.
    """

    __slots__ = ()

    _stock = Stock
    _state = ('path_info',)
    _length = 4
    _sentinel = 'NOPATH'
    _decoder = ''
    _parameters = ('packed', 'integer', 'ip')
    _samples = ({'packed': b'\0\0\0\1'}, {'integer': 1}, {'ip': '10.0.0.1'}, {'integer': 0})

    def __new__(cls, packed: Any = ..., integer: Any = ..., ip: Any = ...) -> Any:
        try:
            shared = cls._refs[packed]()
            if shared is not None and packed:  # ExaBGP reads the others only where there are no octets
                return shared
        except Exception:  # no such key, or not hashable
            pass
        if type(packed) is bytes and packed and cls is cls._canonical:
            return cls._make(packed)
        return cls._construct(packed, integer, ip)


class _SharedPathInfo(Shared, PathInfo):
    __slots__ = slots(Stock, 'path_info')
    __dict__ = read_only
