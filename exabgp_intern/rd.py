"""The Route Distinguisher, RFC 4364 section 4.2."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.rd import RouteDistinguisher as Stock

from exabgp_intern.canonical import KEY, NOTHING, Canonical, CanonicalType, octets

__all__ = ('RouteDistinguisher',)

_init, _new = Stock.__init__, Canonical.__new__


class _Call(CanonicalType):
    def __call__(cls: Any, rd: Any = NOTHING, /, *args: Any, **kwargs: Any) -> Any:
        if type(rd) is bytes and not (args or kwargs) and cls.__init__ is _init and cls.__new__ is _new:
            held = cls._refs.get(rd, NOTHING)()
            return cls._table.intern(rd, cls) if held is None else held
        return CanonicalType.__call__(cls, *(() if rd is NOTHING else (rd,)), *args, **kwargs)


class RouteDistinguisher(Canonical, Stock, metaclass=_Call):
    """ExaBGP's RouteDistinguisher, one instance a value: `RouteDistinguisher(rd)` with `rd` 8 octets."""

    __slots__ = ()

    _stock = Stock
    _state = ('rd', '_len')
    _parameters = ('rd',)
    _samples = ({'rd': bytes(8)}, {'rd': b'\0\1\x0a\0\0\1\0\2'}, {'rd': b''})
    _sentinel = 'NORD'

    rd = KEY
    _len = property(lambda self: len(self._key))

    def __len__(self) -> int:
        return len(self.rd)  # one call less than ExaBGP's, which reads _len

    @staticmethod
    def _key_of(made: Any) -> Any:
        return octets(made.rd)

    def __copy__(self) -> Any:
        return self if self.rd else self.NORD  # as ExaBGP has it

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.__copy__()
