"""Shared attribute sets.

`Attributes` is ExaBGP's class of that name, but its instances cannot be changed, because many routes have the same one.
Received and announced routes have a class each, with a table of its own, because their keys differ: see received.py and
announced.py.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar

from exabgp.bgp.message.update.attribute import Attributes as Stock

from exabgp_intern.attribute.frozen import frozen, refused
from exabgp_intern.attribute.octets import NEXT_HOP

__all__ = ('Attributes', 'Stock')


class Attributes(Stock):
    """A set that routes share.  It is as ExaBGP's, but immutable, and a copy of it has ExaBGP's own class."""

    _table: ClassVar[Any]

    __setitem__ = __delitem__ = __ior__ = clear = popitem = update = refused

    def pop(self, key: Any, *default: Any) -> Any:
        """Return the default or raise KeyError if `key` is not in the set.  ExaBGP pops its internal attributes."""
        return refused(self) if key in self else {}.pop(key, *default)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        return self[key] if key in self else refused(self)

    def __setattr__(self, name: str, value: Any) -> None:
        # what a set has of its own are its texts, which ExaBGP makes when they are first asked for
        if hasattr(Stock, name) or not hasattr(self, name):
            raise AttributeError(f'this set is shared by routes: cannot set {name!r}')
        super().__setattr__(name, value)

    def as_dict(self) -> Any:
        return deepcopy(super().as_dict())  # the caller may change it

    def __copy__(self) -> Any:
        return deepcopy(self)  # to add a community to a copy changes the attribute that it got from here

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Without its texts: ExaBGP's `add` does not renew the index, which may have been made for another route.
        return Stock, (), None, None, iter(self.items())

    @classmethod
    def _share(cls, key: bytes, attributes: Any) -> Any:
        """Return the shared set for `key`: `attributes`, which no other route has yet, unless the table has one."""
        if isinstance(attributes, cls):  # another thread got it from ExaBGP's cache too, and has shared it
            return attributes
        for code, attribute in attributes.items():
            made = attribute if code == NEXT_HOP else frozen(attribute)  # the NLRIs of the routes have the next hop too
            if made is not attribute:
                dict.__setitem__(attributes, code, made)
        attributes.__class__ = cls
        return cls._table.keep(key, attributes)
