"""The MAC address of an EVPN route, RFC 7432 section 7.2."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.mac import MAC as Stock

from exabgp_intern.canonical import Canonical, refusing_as

__all__ = ('MAC',)


class MAC(Canonical, Stock):
    """ExaBGP's MAC, one instance a value: `MAC(mac=None, packed=None)`, text with colons and 6 octets.

    The key: the octets, if the text is the one that they are decoded to; else (text, octets).

    Not installed unless it is asked for: the addresses of a table are nearly all different.
    """

    __slots__ = ()

    _stock = Stock
    _state = ('mac', '_packed')
    _parameters = ('mac', 'packed')
    _samples = ({'mac': '00:11:22:aa:bb:cc'}, {'mac': '00:11:22:AA:BB:CC'}, {'mac': None, 'packed': bytes(6)})

    @classmethod
    def _call_of(cls, refs: Any) -> Any:
        def call(self: Any, mac: Any = None, packed: Any = None) -> Any:
            if type(mac) is str:
                try:
                    made = refs[packed or bytes.fromhex(mac.replace(':', ''))]()
                    if made is not None and made.mac == mac:
                        return made
                except Exception:  # not there, or cannot be
                    pass
            return self._construct(mac, packed)

        return refusing_as(Stock.__init__, call)

    @property
    def mac(self) -> Any:
        return self._text(self._key) if type(self._key) is bytes else self._key[0]

    @property
    def _packed(self) -> bytes:
        key: Any = self._key
        return key if type(key) is bytes else key[1]

    @staticmethod
    def _text(octets: bytes) -> str:
        return octets.hex(':').upper()

    @classmethod
    def unpack(cls, data: Any) -> Any:
        """Return the canonical instance for the 6 octets at the head of `data`."""
        try:
            made = cls._refs[data]()
            if made is not None and len(data) == 6:
                return made
        except Exception:  # not there, or cannot be
            pass
        if type(data) is bytes and len(data) == 6 and cls._plain:
            return cls._table.intern(data, cls, data)
        return super().unpack(data)

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        mac, packed = made.mac, cls._octets(made._packed)
        if packed is None or type(mac) not in (str, type(None)):
            return None
        return packed if mac == cls._text(packed) else (mac, packed)
