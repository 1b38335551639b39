"""The next hop, RFC 4271 section 5.1.3, RFC 4760 section 3."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop
from typing import TYPE_CHECKING, Any, ClassVar

from exabgp.bgp.message.update.attribute.nexthop import NextHop as Stock
from exabgp.bgp.message.update.attribute.nexthop import NoNextHop
from exabgp.protocol.family import AFI

from exabgp_intern.canonical import Canonical, refusing_as

__all__ = ('NextHop',)


class NextHop(Canonical, Stock):
    """ExaBGP's NextHop, one instance a value: `NextHop(string, packed=None)`, text and 4 or 16 octets.

    The key: the octets, if the text is the one that they are decoded to; else (text, octets).

    `Attribute.registered_attributes` keeps ExaBGP's class, whose `unpack` constructs what its module calls NextHop.
    """

    # Not the text alone, made each time: json() and str() of every route ask for it.
    __slots__ = ('_packed', '_string', 'afi')

    if TYPE_CHECKING:
        _packed: bytes
        _string: str
        afi: Any
        _set_afi: ClassVar[Any]
        _set_packed: ClassVar[Any]
        _set_string: ClassVar[Any]

    _stock = Stock
    _state = ('_string', '_packed', 'afi')
    _parameters = ('string', 'packed')
    _samples = (
        {'string': '192.0.2.1'},
        {'string': '192.0.2.1', 'packed': b'\xc0\0\2\1'},
        {'string': '2001:db8::1'},
        {'string': '2001:0db8:0::1'},
        {'string': '192.0.2.1', 'packed': b'\xc0\0\2\2'},
    )
    _shows = ('__str__', 'index', 'ipv4', 'pack', 'ton', 'top')

    _no_next_hop: ClassVar[Any] = NoNextHop
    _afis: ClassVar[tuple[Any, Any]] = (AFI.ipv4, AFI.ipv6)
    _sizes: ClassVar[dict[int, int]] = {4: AF_INET, 16: AF_INET6}
    _lengths = tuple(_sizes)
    _text = staticmethod(inet_ntop)  # ExaBGP's `ntop` is gone early when the interpreter exits

    @classmethod
    def _call_of(cls, refs: Any) -> Any:
        def call(self: Any, string: Any, packed: Any = None) -> Any:
            # text and octets: how the attribute NEXT_HOP is decoded
            if type(string) is str:
                try:
                    made = refs[packed]()
                    if made is not None and made._string == string:
                        return made
                except Exception:  # not there, or cannot be
                    pass
            return self._construct(string, packed)

        return refusing_as(Stock.__init__, call)

    @classmethod
    def _fill(cls, instance: Any, key: Any) -> None:
        string, packed = (cls._text(cls._sizes[len(key)], key), key) if type(key) is bytes else key
        cls._set_key(instance, key)
        cls._set_string(instance, string)
        cls._set_packed(instance, packed)
        cls._set_afi(instance, cls._afis[':' in string])

    @classmethod
    def unpack(cls, data: Any, direction: Any = None, negotiated: Any = None) -> Any:
        """Return the next hop whose address is the wire bytes `data`, NoNextHop for none."""
        try:
            held = cls._refs[data]()
            if held is not None:
                return held
        except Exception:  # not there, or cannot be
            pass
        if type(data) is bytes and len(data) in cls._sizes and cls._plain:
            return cls._table.intern(data, cls, data)
        made = super().unpack(data, direction, negotiated)
        return made if made is cls._no_next_hop else cls(made.top(), made.ton())

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        string, packed = made._string, cls._octets(made._packed)
        if type(string) is not str or packed is None or made.afi != cls._afis[':' in string]:
            return None
        family = cls._sizes.get(len(packed))
        return packed if family and cls._text(family, packed) == string else (string, packed)
