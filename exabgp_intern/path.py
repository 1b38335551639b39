"""The Path Identifier, RFC 7911 section 3."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.path import PathInfo as Stock

from exabgp_intern.canonical import KEY, Canonical, CanonicalType, refusing_as

__all__ = ('PathInfo',)


class _Call(CanonicalType):
    @refusing_as(Stock.__init__)
    def __call__(cls: Any, packed: Any = None, integer: Any = None, ip: Any = None) -> Any:
        if packed:  # then ExaBGP looks at nothing else
            try:
                made = cls._refs[packed]()
                if made is not None:
                    return made
            except Exception:  # not there, or cannot be
                pass
            if type(packed) is bytes and cls._plain:
                return cls._table.intern(packed, cls)
        return super().__call__(packed, integer, ip)


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
        try:
            made = cls._refs[packed]()
            if made is not None and packed:
                return made
        except Exception:  # not there, or cannot be
            pass
        return cls.NOPATH if packed == b'' else cls(packed)
