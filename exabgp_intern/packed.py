"""The qualifiers of ExaBGP 6, each constructed from its wire bytes: all but a MAC hold nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

from exabgp.bgp.message.update.nlri import qualifier

from exabgp_intern.canonical import KEY, Canonical, refusing_as

__all__ = ('ESI', 'EthernetTag', 'Labels', 'MAC', 'PathInfo', 'RouteDistinguisher')


class _Packed:
    __slots__ = ()

    _state: ClassVar[tuple[str, ...]] = ('_packed',)
    _parameters: ClassVar[tuple[str, ...]] = ('packed',)
    _shows: ClassVar[tuple[str, ...]] = ('__len__', '__str__', 'json')

    @classmethod
    def _call_of(cls: Any, refs: Any) -> Any:
        def call(self: Any, packed: Any) -> Any:
            try:
                made = refs[packed]()
                if made is not None:
                    return made
            except Exception:  # not there, or cannot be
                pass
            return self._construct(packed)

        return refusing_as(cls._stock.__init__, call)

    @classmethod
    def _key_of(cls: Any, made: Any) -> Any:
        return cls._octets(made._packed)


class RouteDistinguisher(_Packed, Canonical, qualifier.RouteDistinguisher):
    """ExaBGP's RouteDistinguisher, one instance a value: `RouteDistinguisher(packed)`, 8 octets, RFC 4364 section 4."""

    __slots__ = ()

    _stock = qualifier.RouteDistinguisher
    _samples = ({'packed': bytes(8)}, {'packed': b'\0\1\x0a\0\0\1\0\2'}, {'packed': b''})
    _sentinel = 'NORD'
    _decoder = 'unpack_routedistinguisher'

    _packed = KEY


class Labels(_Packed, Canonical, qualifier.Labels):
    """ExaBGP's Labels, one instance a value: `Labels(packed)`, 3 octets a label, RFC 3107 section 3."""

    __slots__ = ()

    _stock = qualifier.Labels
    _samples = ({'packed': b'\0\x06\x41'}, {'packed': b'\0\x06\x40\0\x0c\x81'}, {'packed': b''})
    _sentinel = 'NOLABEL'
    _decoder = 'unpack_labels'

    _packed = KEY


class PathInfo(_Packed, Canonical, qualifier.PathInfo):
    """ExaBGP's PathInfo, one instance a value: `PathInfo(packed)`, 4 octets, RFC 7911 section 3."""

    __slots__ = ()

    _stock = qualifier.PathInfo
    _state = ('_packed', '_disabled')
    _samples = ({'packed': b'\0\0\0\1'}, {'packed': b''})
    _sentinel = 'DISABLED'
    _decoder = ''

    _packed = KEY
    _disabled = False  # true of the sentinel alone, which is ExaBGP's

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        return None if made._disabled else super()._key_of(made)  # a copy of DISABLED is not PathInfo(b'')


class ESI(_Packed, Canonical, qualifier.ESI):
    """ExaBGP's ESI, one instance a value: `ESI(packed)`, 10 octets, RFC 7432 section 5."""

    __slots__ = ()

    _stock = qualifier.ESI
    _samples = ({'packed': bytes(10)}, {'packed': bytes(range(10))})
    _decoder = 'unpack_esi'

    _packed = KEY


class EthernetTag(_Packed, Canonical, qualifier.EthernetTag):
    """ExaBGP's EthernetTag, one instance a value: `EthernetTag(packed)`, 4 octets, RFC 7432 section 5."""

    __slots__ = ()

    _stock = qualifier.EthernetTag
    _samples = ({'packed': bytes(4)}, {'packed': b'\0\0\x03\xe8'})
    _decoder = 'unpack_etag'

    _packed = KEY


class MAC(Canonical, qualifier.MAC):
    """ExaBGP's MAC, one instance a value: `MAC(mac='', packed=b'')`, text with colons and 6 octets.

    Not installed unless it is asked for: the addresses of a table are nearly all different.
    """

    __slots__ = ()

    _stock = qualifier.MAC
    _state = ('mac', '_packed')
    _parameters = ('mac', 'packed')
    _shows = ('__len__', '__str__', 'json')
    _samples = ({'mac': '00:11:22:aa:bb:cc'}, {'packed': bytes(6)})
    _decoder = 'unpack_mac'

    mac = property(lambda self: self._key[0])
    _packed = property(lambda self: self._key[1])

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        packed = cls._octets(made._packed)
        return None if packed is None or type(made.mac) is not str else (made.mac, packed)
