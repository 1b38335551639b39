"""The qualifiers of ExaBGP 6.  Each is constructed from its wire bytes, and all but a MAC hold nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from exabgp.bgp.message.update.nlri import qualifier

from exabgp_intern.canonical import Canonical, Shared, read_only, slots, stock_of

__all__ = ('ESI', 'EthernetTag', 'Labels', 'MAC', 'PathInfo', 'RouteDistinguisher')


class _FromWire(Canonical):
    __slots__ = ()

    _state: ClassVar[Any] = ('_packed',)
    _parameters: ClassVar[Any] = ('packed',)
    _shows: ClassVar[Any] = ('__len__', '__str__', 'json')

    def __new__(cls, packed: Any = ...) -> Any:
        try:
            shared = cls._refs[packed]()
            if shared is not None:
                return shared
        except Exception:  # no such key, or not hashable
            pass
        return cls._construct(packed)


del _FromWire.__slots__  # see CanonicalType


class RouteDistinguisher(_FromWire, stock_of(qualifier.RouteDistinguisher)):  # type: ignore[misc]
    """ExaBGP's RouteDistinguisher, one instance a value: `RouteDistinguisher(packed)`, 8 octets, RFC 4364 section 4."""

    __slots__ = ()

    _stock = stock_of(qualifier.RouteDistinguisher)
    _length = 8
    _sentinel = 'NORD'
    _decoder = 'unpack_routedistinguisher'
    _samples = ({'packed': bytes(8)}, {'packed': b'\0\1\x0a\0\0\1\0\2'}, {'packed': b''})


class Labels(_FromWire, stock_of(qualifier.Labels)):  # type: ignore[misc]
    """ExaBGP's Labels, one instance a value: `Labels(packed)`, 3 octets a label, RFC 3107 section 3."""

    __slots__ = ()

    _stock = stock_of(qualifier.Labels)
    _length = 3
    _sentinel = 'NOLABEL'
    _decoder = 'unpack_labels'
    _samples = ({'packed': b'\0\x06\x41'}, {'packed': b'\0\x06\x40\0\x0c\x81'}, {'packed': b''})


class PathInfo(_FromWire, stock_of(qualifier.PathInfo)):  # type: ignore[misc]
    """ExaBGP's PathInfo, one instance a value: `PathInfo(packed)`, 4 octets, RFC 7911 section 3."""

    __slots__ = ()

    _stock = stock_of(qualifier.PathInfo)
    _state = ('_packed', '_disabled')
    _length = 4
    _sentinel = 'DISABLED'
    _decoder = ''
    _samples = ({'packed': b'\0\0\0\1'}, {'packed': b''})

    @classmethod
    def _key_of(cls, instance: Any) -> Any:
        return None if instance._disabled else cls._octets(instance._packed)  # a copy of DISABLED is not PathInfo(b'')


class ESI(_FromWire, stock_of(qualifier.ESI)):  # type: ignore[misc]
    """ExaBGP's ESI, one instance a value: `ESI(packed)`, 10 octets, RFC 7432 section 5."""

    __slots__ = ()

    _stock = stock_of(qualifier.ESI)
    _length = 10
    _decoder = 'unpack_esi'
    _samples = ({'packed': bytes(10)}, {'packed': bytes(range(10))})


class EthernetTag(_FromWire, stock_of(qualifier.EthernetTag)):  # type: ignore[misc]
    """ExaBGP's EthernetTag, one instance a value: `EthernetTag(packed)`, 4 octets, RFC 7432 section 5."""

    __slots__ = ()

    _stock = stock_of(qualifier.EthernetTag)
    _length = 4
    _decoder = 'unpack_etag'
    _samples = ({'packed': bytes(4)}, {'packed': b'\0\0\x03\xe8'})


class MAC(Canonical, stock_of(qualifier.MAC)):  # type: ignore[misc]
    """ExaBGP's MAC, one instance a value: `MAC(mac='', packed=b'')`, text with colons and 6 octets.

    It is not installed by default: the addresses of a table are nearly all different.
    """

    __slots__ = ()

    _stock = stock_of(qualifier.MAC)
    _state = ('mac', '_packed')
    _decoder = 'unpack_mac'
    _parameters = ('mac', 'packed')
    _samples = ({'mac': '00:11:22:aa:bb:cc'}, {'packed': bytes(6)})
    _shows = ('__len__', '__str__', 'json')

    def __new__(cls, mac: Any = ..., packed: Any = ...) -> Any:
        return cls._construct(mac, packed)

    @classmethod
    def _key_of(cls, instance: Any) -> Any:
        text, packed = instance.mac, cls._octets(instance._packed)
        return None if packed is None or type(text) is not str else (text, packed)

    @classmethod
    def _fill(cls, made: Any, key: Any) -> None:
        mac, packed = key
        object.__setattr__(made, 'mac', mac)
        object.__setattr__(made, '_packed', packed)


class _SharedRouteDistinguisher(Shared, RouteDistinguisher):
    __slots__ = slots(RouteDistinguisher, '_packed')
    __dict__ = read_only


class _SharedLabels(Shared, Labels):
    __slots__ = slots(Labels, '_packed')
    __dict__ = read_only


class _SharedPathInfo(Shared, PathInfo):
    __slots__ = slots(PathInfo, '_packed')
    __dict__ = read_only

    _disabled = False  # true of the sentinel only


class _SharedESI(Shared, ESI):
    __slots__ = slots(ESI, '_packed')
    __dict__ = read_only


class _SharedEthernetTag(Shared, EthernetTag):
    __slots__ = slots(EthernetTag, '_packed')
    __dict__ = read_only


class _SharedMAC(Shared, MAC):
    __slots__ = slots(MAC, 'mac', '_packed')
    __dict__ = read_only

    if TYPE_CHECKING:
        mac: Any
        _packed: Any
