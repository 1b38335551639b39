"""The Route Distinguisher, RFC 4364 section 4.2."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.rd import RouteDistinguisher as Stock

from exabgp_intern.canonical import KEY, NOTHING, Canonical, CanonicalType

__all__ = ('RouteDistinguisher',)


class _Call(CanonicalType):
    def __call__(cls: Any, rd: Any = NOTHING, /, *args: Any, **kwargs: Any) -> Any:
        if type(rd) is bytes and not (args or kwargs) and cls._plain:
            held = cls._refs.get(rd, cls._nothing)()
            return cls._table.intern(rd, cls) if held is None else held
        return super().__call__(*(() if rd is cls._nothing else (rd,)), *args, **kwargs)


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

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        return cls._octets(made.rd)

    def __copy__(self) -> Any:
        return self if self.rd else self.NORD  # as ExaBGP has it

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.__copy__()
