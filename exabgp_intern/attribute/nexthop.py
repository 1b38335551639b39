"""The next hop, RFC 4271 section 5.1.3, RFC 4760 section 3."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop
from typing import TYPE_CHECKING, Any, ClassVar

from exabgp.bgp.message.update.attribute import nexthop
from exabgp.protocol.family import AFI

from exabgp_intern.canonical import Canonical, Shared, read_only, slots, stock_of

__all__ = ('NextHop',)

Stock: Any = stock_of(nexthop.NextHop)


class NextHop(Canonical, Stock):
    """ExaBGP's NextHop, one instance a value: `NextHop(string, packed=None)`, text and 4 or 16 octets.

    The key is the octets if they decode to the text, and (text, octets) if not.

    ExaBGP's registry of attribute classes keeps ExaBGP's own class.  Its `unpack` constructs the class that its module
    binds to the name NextHop.
    """

    __slots__ = ()

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

    _families: ClassVar[Any] = {4: AF_INET, 16: AF_INET6}  # by the length of an address in octets
    _afis: ClassVar[Any] = (AFI.ipv4, AFI.ipv6)
    _no_next_hop: ClassVar[Any] = nexthop.NoNextHop
    _text = staticmethod(inet_ntop)

    def __new__(cls, string: Any = ..., packed: Any = ...) -> Any:
        # text and octets: the attribute NEXT_HOP is decoded so
        if type(string) is str and type(packed) is bytes:
            entry = cls._refs.get(packed)
            shared = entry and entry()
            if shared is not None and shared._string == string:
                return shared
        if type(string) is not str and string is not ... and cls is cls._canonical:
            # ExaBGP's own: str() of it raises a TypeError, which names the class from Python 3.15 on
            return cls._stock(*(each for each in (string, packed) if each is not ...))
        return cls._construct(string, packed)

    @classmethod
    def unpack(cls, data: Any, direction: Any = None, negotiated: Any = None) -> Any:
        """Return the next hop for the 4 or 16 octets of an address, NoNextHop for none."""
        if type(data) is bytes and len(data) in cls._families and cls is cls._canonical:
            return cls._intern(data)
        # ExaBGP makes an instance of what its module calls NextHop
        made = cls._stock.unpack.__func__(cls, data, direction, negotiated)
        return made if made is cls._no_next_hop else cls(made.top(), made.ton())

    from_packed = unpack

    @classmethod
    def _fill(cls, made: Any, key: Any) -> None:
        string, packed = (cls._text(cls._families[len(key)], key), key) if type(key) is bytes else key
        object.__setattr__(made, '_string', string)
        object.__setattr__(made, '_packed', packed)
        object.__setattr__(made, 'afi', cls._afis[':' in string])

    @classmethod
    def _key_of(cls, instance: Any) -> Any:
        string, packed = instance._string, cls._octets(instance._packed)
        if type(string) is not str or packed is None or instance.afi != cls._afis[':' in string]:
            return None
        family = cls._families.get(len(packed))
        return packed if family and cls._text(family, packed) == string else (string, packed)


class _SharedNextHop(Shared, NextHop):
    # The text is held, and not made each time: json() and str() of every route ask for it.
    __slots__ = slots(Stock, '_string', '_packed', 'afi')
    __dict__ = read_only

    if TYPE_CHECKING:
        _string: Any
        _packed: Any
        afi: Any
