"""Shared attribute sets of ExaBGP 6.

`Attributes` is ExaBGP's `AttributeCollection`, but its instances cannot be changed, because many routes have the same
one.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar

from exabgp.bgp.message.update.attribute import Attribute, AttributeCollection

from exabgp_intern.attribute.frozen import frozen, refused

__all__ = ('UNSHARED', 'Attributes')

# Errors; and BGP-LS, of which ExaBGP makes lists when they are first asked for, and returns these.
UNSHARED = {
    int(code)
    for code in (
        Attribute.CODE.INTERNAL_TREAT_AS_WITHDRAW,
        Attribute.CODE.INTERNAL_DISCARD,
        Attribute.CODE.BGP_LS,
        Attribute.CODE.MP_REACH_NLRI,
        Attribute.CODE.MP_UNREACH_NLRI,
    )
}
TEXTS = ('_str', '_idx', '_json')


class Attributes(AttributeCollection):
    """A set that routes share.  It is as ExaBGP's, but immutable, and a copy of it has ExaBGP's own class."""

    _table: ClassVar[Any]

    # what a MutableMapping changes, it changes by these two
    __setitem__ = __delitem__ = refused

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in TEXTS:  # ExaBGP makes these when they are first asked for
            raise AttributeError(f'this set is shared by routes: cannot set {name!r}')
        super().__setattr__(name, value)

    def __copy__(self) -> Any:
        return deepcopy(self)  # to add a community to a copy changes the attribute that it got from here

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Without its texts: ExaBGP's `add` does not renew the index, which may have been made for another route.
        return AttributeCollection, (), None, None, iter(self.items())

    @classmethod
    def _share(cls, key: bytes, attributes: Any) -> Any:
        """Return the shared set for `key`: `attributes`, which no other route has yet, unless the table has one."""
        held = attributes._data
        for code, attribute in held.items():
            held[code] = frozen(attribute)
        attributes.__class__ = cls
        return cls._table.keep(key, attributes)
