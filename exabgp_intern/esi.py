"""The Ethernet Segment Identifier, RFC 7432 section 5."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.esi import ESI as Stock

from exabgp_intern.canonical import KEY, NOTHING, Canonical, CanonicalType

__all__ = ('ESI',)


class _Call(CanonicalType):
    def __call__(cls: Any, esi: Any = NOTHING, /, *args: Any, **kwargs: Any) -> Any:
        if type(esi) is bytes and not (args or kwargs) and cls._plain:
            held = cls._refs.get(esi, cls._nothing)()
            if held is not None:
                return held
            if len(esi) == cls.LENGTH:
                return cls._table.intern(esi, cls)
        return super().__call__(*(() if esi is cls._nothing else (esi,)), *args, **kwargs)


class ESI(Canonical, Stock, metaclass=_Call):
    """ExaBGP's ESI, one instance a value: `ESI(esi=None)` with `esi` 10 octets, None for all zero.

    Raises what ExaBGP's does: Exception for another length.
    """

    __slots__ = ()

    _stock = Stock
    _state = ('esi',)
    _parameters = ('esi',)
    _samples = ({}, {'esi': bytes(range(10))})

    esi = KEY

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        return cls._octets(made.esi)
