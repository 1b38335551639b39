"""The MAC address of an EVPN route, RFC 7432 section 7.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exabgp.bgp.message.update.nlri.qualifier import mac

from exabgp_intern.canonical import Canonical, Shared, looked_up, read_only, slots, stock_of

__all__ = ('MAC',)

Stock: Any = stock_of(mac.MAC)


class MAC(Canonical, Stock):
    """ExaBGP's MAC, one instance a value: `MAC(mac=None, packed=None)`, text with colons and 6 octets.

    The key is the octets if they decode to the text, and (text, octets) if not.

    It is not installed by default: the addresses of a table are nearly all different.
    """

    __slots__ = ()

    _stock = Stock
    _state = ('mac', '_packed')
    _length = 6
    _parameters = ('mac', 'packed')
    _samples = ({'mac': '00:11:22:aa:bb:cc'}, {'mac': '00:11:22:AA:BB:CC'}, {'mac': None, 'packed': bytes(6)})

    def __new__(cls, mac: Any = ..., packed: Any = ...) -> Any:
        if type(mac) is str and packed is ...:
            try:
                entry = cls._refs.get(bytes.fromhex(mac.replace(':', '')))
                shared = entry and entry()
                if shared is not None and shared.mac == mac:
                    return shared
            except ValueError:  # ExaBGP refuses it, or reads it in its own way
                pass
        return cls._construct(mac, packed)

    unpack = looked_up(Stock.unpack.__func__)

    @staticmethod
    def _text(packed: Any) -> Any:
        return packed.hex(':').upper()

    @classmethod
    def _key_of(cls, instance: Any) -> Any:
        text, packed = instance.mac, cls._octets(instance._packed)
        if packed is None or type(text) not in (str, type(None)):
            return None
        return packed if text == cls._text(packed) else (text, packed)


class _SharedMAC(Shared, MAC):
    __slots__ = slots(Stock, '_key')
    __dict__ = read_only

    if TYPE_CHECKING:
        _key: Any

    @property
    def mac(self) -> Any:
        return self._text(self._key) if type(self._key) is bytes else self._key[0]

    @property
    def _packed(self) -> Any:
        return self._key if type(self._key) is bytes else self._key[1]
