"""The Path Identifier, RFC 7911 section 3."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.path import PathInfo as Stock

from exabgp_intern.canonical import NOTHING, Canonical, CanonicalType, octets

__all__ = ('PathInfo',)

_init = Stock.__init__


class _Call(CanonicalType):
    def __call__(cls, packed: Any = NOTHING, /, *args: Any, **kwargs: Any) -> Any:
        if type(packed) is bytes and packed and cls.__init__ is _init and not args and not kwargs:
            held = cls._refs.get(packed, NOTHING)()
            return cls._table.intern(packed, cls) if held is None else held
        return CanonicalType.__call__(cls, *(() if packed is NOTHING else (packed,)), *args, **kwargs)


class PathInfo(Canonical, Stock, metaclass=_Call):
    """ExaBGP's PathInfo, one instance a value: `PathInfo(packed=None, integer=None, ip=None)`.

    `packed` is 4 octets, `integer` an int of 32 bits, `ip` a dotted quad.
    """

    __slots__ = ()

    _stock = Stock
    _state = ('path_info',)
    _parameters = ('packed', 'integer', 'ip')
    _samples = ({}, {'packed': b'\0\0\0\1'}, {'integer': 1}, {'ip': '10.0.0.1'})
    _sentinel = 'NOPATH'

    path_info = Canonical._key

    @staticmethod
    def _key_of(made: Any) -> Any:
        return octets(made.path_info)

    @classmethod
    def unpack(cls, data):
        return cls(data)
