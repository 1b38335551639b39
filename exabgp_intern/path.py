"""The Path Identifier, RFC 7911 section 3."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.path import PathInfo as Stock

from exabgp_intern.canonical import KEY, Canonical, refusing_as

__all__ = ('PathInfo',)


class PathInfo(Canonical, Stock):
    """ExaBGP's PathInfo, one instance a value: `PathInfo(packed=None, integer=None, ip=None)`.

    `packed` is 4 octets, `integer` an int of 32 bits, `ip` a dotted quad.
    """

    __slots__ = ()

    _stock = Stock
    _state = ('path_info',)
    _parameters = ('packed', 'integer', 'ip')
    _samples = ({}, {'packed': b'\0\0\0\1'}, {'integer': 1}, {'ip': '10.0.0.1'})
    _sentinel = 'NOPATH'
    _decoder = ''
    _lengths = (4,)

    path_info = KEY

    @classmethod
    def _call_of(cls, refs: Any) -> Any:
        def call(self: Any, packed: Any = None, integer: Any = None, ip: Any = None) -> Any:
            try:
                made = refs[packed]()  # if there is `packed`, ExaBGP looks at nothing else
                if made is not None:
                    return made
            except Exception:  # not there, or cannot be
                pass
            if type(packed) is bytes and len(packed) == 4:
                return self._table.intern(packed, self, packed)
            return self._construct(packed, integer, ip)

        return refusing_as(Stock.__init__, call)

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        return cls._octets(made.path_info)
