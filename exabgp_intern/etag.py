"""The Ethernet Tag, RFC 7432 section 5."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.etag import EthernetTag as Stock

from exabgp_intern.canonical import KEY, NOTHING, Canonical, CanonicalType

__all__ = ('EthernetTag',)


class _Call(CanonicalType):
    def __call__(cls: Any, tag: Any = NOTHING, /, *args: Any, **kwargs: Any) -> Any:
        if type(tag) is int and not (args or kwargs) and cls._plain:
            held = cls._refs.get(tag, cls._nothing)()
            return cls._table.intern(tag, cls) if held is None else held
        return super().__call__(*(() if tag is cls._nothing else (tag,)), *args, **kwargs)


class EthernetTag(Canonical, Stock, metaclass=_Call):
    """ExaBGP's EthernetTag, one instance a value: `EthernetTag(tag=0)`, an int of 32 bits."""

    __slots__ = ()

    _stock = Stock
    _state = ('tag',)
    _parameters = ('tag',)
    _samples = ({}, {'tag': 1000})

    tag = KEY

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        # exactly int: True and 1.0 are equal to 1 and print differently
        return made.tag if type(made.tag) is int else None
