"""The MAC address of an EVPN route, RFC 7432 section 7.2."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.mac import MAC as Stock

from exabgp_intern.canonical import Canonical

__all__ = ('MAC',)


class MAC(Canonical, Stock):
    """ExaBGP's MAC, one instance a value: `MAC(mac=None, packed=None)`, text with colons and 6 octets.

    Not installed unless it is asked for: the addresses of a table are nearly all different.
    """

    __slots__ = ()

    _stock = Stock
    _state = ('mac', '_packed')
    _parameters = ('mac', 'packed')
    _samples = ({'mac': '00:11:22:aa:bb:cc'}, {'mac': None, 'packed': bytes(6)})

    mac = property(lambda self: self._key[0])
    _packed = property(lambda self: self._key[1])

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        packed = cls._octets(made._packed)
        return None if packed is None or type(made.mac) not in (str, type(None)) else (made.mac, packed)
