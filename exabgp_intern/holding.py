"""Makes the NLRIs of ExaBGP 6 hold the route distinguisher and the label stack that they hand out.

They keep wire bytes, and make the qualifier anew at every access.  But each INET has slots for both, `_rd` and
`_labels`, which ExaBGP leaves empty in its families with labels: there the first access now leaves what it found.
Nothing else reads them: `__eq__`, `hash()`, `index()` and packing look at the wire bytes, and a copy starts empty.
"""

from __future__ import annotations

from typing import Any, Callable, Iterable

from exabgp.bgp.message.update.nlri.ipvpn import IPVPN
from exabgp.bgp.message.update.nlri.label import Label

from exabgp_intern.lines import canonical_class

__all__ = ('hold', 'release')


def hold(names: Iterable[str]) -> None:
    """Replace the accessors that hand out instances of the classes `names`."""
    for name in ACCESSORS.keys() & set(names):
        cls, stock, held = ACCESSORS[name]
        setattr(cls, stock.fget.__name__, held)


def release() -> None:
    """Put ExaBGP's own back.  What an NLRI holds by then, it holds for life."""
    for cls, stock, _ in ACCESSORS.values():
        setattr(cls, stock.fget.__name__, stock)


# The slot of a decoded route is not set: to catch the AttributeError would cost more than getattr() does.


def _labels(stock: Any) -> property:
    read, cls = stock.fget, canonical_class('Labels')

    def labels(self: Any) -> Any:
        value = getattr(self, '_labels', None)
        if value is None:
            size = self._label_size
            # As ExaBGP reads it, without its three calls: a first access takes 1.7 of its time, 2.15 with them.
            if size > 0:
                start = self._mask_offset + 1
                value = cls(self._packed[start : start + size])
            else:
                value = read(self)
            self._labels = value
        return value

    return property(labels, doc=stock.__doc__)


def _rd(stock: Any) -> property:
    read = stock.fget

    def rd(self: Any) -> Any:
        value = getattr(self, '_rd', None)
        if value is None:
            value = self._rd = read(self)
        return value

    return property(rd, doc=stock.__doc__)


def _accessor(nlri: type, attribute: str, holding: Callable[[Any], property]) -> tuple[type, Any, property]:
    cls = next(cls for cls in nlri.__mro__ if attribute in vars(cls))
    stock = vars(cls)[attribute]
    return cls, stock, holding(stock)


# By the class of the value: the NLRI class that defines the accessor, ExaBGP's own, ours.
ACCESSORS = {
    'Labels': _accessor(Label, 'labels', _labels),
    'RouteDistinguisher': _accessor(IPVPN, 'rd', _rd),
}
