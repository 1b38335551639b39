"""Makes the NLRIs of ExaBGP 6 hold the route distinguisher and the label stack that they hand out.

ExaBGP's NLRIs hold wire bytes, and make a new qualifier at every access.  But each INET has the slots `_rd` and
`_labels`, and ExaBGP leaves them empty in the families with labels.  This module stores the result of the first access
in the slot.  Nothing else reads these slots: `__eq__`, `hash()`, `index()` and packing use the wire bytes, and the
slots of a copy are empty.
"""

from __future__ import annotations

from typing import Any, Callable, Iterable

from exabgp.bgp.message.update.nlri.ipvpn import IPVPN
from exabgp.bgp.message.update.nlri.label import Label

from exabgp_intern.exabgp6.qualifiers import Labels

__all__ = ('hold', 'release')


def hold(names: Iterable[str]) -> None:
    """Replace the accessors that hand out instances of the classes `names`."""
    for name in ACCESSORS.keys() & set(names):
        cls, stock, held = ACCESSORS[name]
        setattr(cls, stock.fget.__name__, held)


def release() -> None:
    """Put ExaBGP's own accessors back.  An NLRI keeps the qualifiers that it already holds."""
    for cls, stock, _ in ACCESSORS.values():
        setattr(cls, stock.fget.__name__, stock)


# The slot of a decoded route is not set: getattr() costs less than to catch the AttributeError.


def _labels(stock: Any) -> Any:
    read = stock.fget

    def labels(self: Any) -> Any:
        value = getattr(self, '_labels', None)
        if value is None:
            size = self._label_size
            # as ExaBGP reads it, without its three calls
            if size > 0:
                start = self._mask_offset + 1
                value = Labels(self._packed[start : start + size])
            else:
                value = read(self)
            self._labels = value
        return value

    return labels


def _rd(stock: Any) -> Any:
    read = stock.fget

    def rd(self: Any) -> Any:
        value = getattr(self, '_rd', None)
        if value is None:
            value = self._rd = read(self)
        return value

    return rd


def _accessor(nlri: type, attribute: str, holding: Callable[[Any], Any]) -> tuple[type, Any, property]:
    cls = next(cls for cls in nlri.__mro__ if attribute in vars(cls))
    found = vars(cls)[attribute]
    stock = vars(found.fget).get('_stock', found)  # where an earlier import of this module has left its own
    read = holding(stock)
    read._stock = stock
    return cls, stock, property(read, doc=stock.__doc__)


# By the class of the value: the NLRI class that defines the accessor, ExaBGP's own, ours.
ACCESSORS = {
    'Labels': _accessor(Label, 'labels', _labels),
    'RouteDistinguisher': _accessor(IPVPN, 'rd', _rd),
}
