"""The Path Identifier, RFC 7911 section 3."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.path import PathInfo as Stock

from exabgp_intern.canonical import KEY, NOTHING, Canonical, CanonicalType

__all__ = ('PathInfo',)


class _Call(CanonicalType):
    def __call__(cls: Any, packed: Any = NOTHING, /, *args: Any, **kwargs: Any) -> Any:
        if type(packed) is bytes and packed and not (args or kwargs) and cls._plain:
            held = cls._refs.get(packed, cls._nothing)()
            return cls._table.intern(packed, cls) if held is None else held
        return super().__call__(*(() if packed is cls._nothing else (packed,)), *args, **kwargs)


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

    path_info = KEY

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        return cls._octets(made.path_info)

    @classmethod
    def from_packed(cls, packed: Any) -> Any:
        """Return the canonical instance for the 4 octets before a prefix, NOPATH for none."""
        return cls.NOPATH if packed == b'' else cls(packed)
