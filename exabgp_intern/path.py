"""The Path Identifier, RFC 7911 section 3."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.path import PathInfo as Stock

from exabgp_intern.canonical import KEY, NOTHING, Canonical, CanonicalType, octets

__all__ = ('PathInfo',)

_init, _new = Stock.__init__, Canonical.__new__


class _Call(CanonicalType):
    def __call__(cls: Any, packed: Any = NOTHING, /, *args: Any, **kwargs: Any) -> Any:
        if type(packed) is bytes and packed and not (args or kwargs) and cls.__init__ is _init and cls.__new__ is _new:
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

    path_info = KEY

    @staticmethod
    def _key_of(made: Any) -> Any:
        return octets(made.path_info)

    @classmethod
    def from_packed(cls, packed: Any) -> Any:
        """Return the canonical instance for the 4 octets before a prefix, NOPATH for none."""
        return cls.NOPATH if packed == b'' else cls(packed)
