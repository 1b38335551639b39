"""Attribute sets: one object for all UPDATEs whose attributes other than MP_REACH and MP_UNREACH_NLRI are the same.

The key of a set has two parts: what the session has agreed on that decides what the octets mean, and the octets of the
attributes in their order.  The table is asked before the attributes are parsed.  On a hit ExaBGP decodes the UPDATE
without them.  On a miss it decodes the whole UPDATE, and the set that it made goes into the table.

Only sets without an error are shared.  ExaBGP decodes the whole UPDATE as if this module were not there if the lengths
of the attributes are not exact, or if the rest of the UPDATE raises or adds anything but routes.
"""

from __future__ import annotations

from copy import deepcopy
from inspect import signature
from typing import Any, ClassVar, NoReturn

from exabgp.bgp.message.update import Update
from exabgp.bgp.message.update.attribute import Attribute
from exabgp.bgp.message.update.attribute import Attributes as Stock
from exabgp.bgp.message.update.attribute.community import Communities
from exabgp.logger import option

from exabgp_intern.table import Entry, Table

__all__ = ('Attributes', 'install', 'installed', 'known', 'uninstall')

NEXT_HOP = int(Attribute.CODE.NEXT_HOP)
MP_NLRI = (int(Attribute.CODE.MP_REACH_NLRI), int(Attribute.CODE.MP_UNREACH_NLRI))
ERRORS = (Attribute.CODE.INTERNAL_TREAT_AS_WITHDRAW, Attribute.CODE.INTERNAL_DISCARD)
EXTENDED_LENGTH = int(Attribute.Flag.EXTENDED_LENGTH)


def _refused(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError('these attributes are shared by all routes that have them: change a copy')


class _Entry(Entry):
    """An entry that counts for how many UPDATEs its set was found: `stats()` cannot tell from the routes."""

    hits = 0


class _Sets(Table):
    _entry = _Entry


class Attributes(Stock):
    """A set that UPDATEs share.  ExaBGP's in all but this: it refuses to change, and a copy of it is ExaBGP's own."""

    _table = _Sets()
    _refs: ClassVar[dict[bytes, Any]] = _table.data

    __setitem__ = __delitem__ = __ior__ = clear = popitem = update = _refused

    def pop(self, key: Any, *default: Any) -> Any:
        """Return the default, or raise KeyError, for what is not in the set; ExaBGP asks for its marks like that."""
        return _refused(self) if key in self else {}.pop(key, *default)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        return self[key] if key in self else _refused(self)

    def __setattr__(self, name: str, value: Any) -> None:
        # what a set has of its own are its texts, which ExaBGP makes when they are first asked for
        if hasattr(Stock, name) or not hasattr(self, name):
            raise AttributeError(f'these attributes are shared by all routes that have them: cannot set {name!r}')
        super().__setattr__(name, value)

    def as_dict(self) -> Any:
        return deepcopy(super().as_dict())  # the caller may change it

    def __copy__(self) -> Any:
        return deepcopy(self)  # to add a community to a copy changes the attribute that it got from here

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Stock, (), vars(self), None, iter(self.items())


class _Frozen(list):  # type: ignore[type-arg]
    """The communities of a shared attribute: ExaBGP would add to them in place."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = append = clear = extend = _refused
    insert = pop = remove = reverse = sort = _refused

    def __reduce_ex__(self, protocol: Any) -> Any:
        return list, (list(self),)


def _share(key: bytes, attributes: Any) -> Any:
    """Return the set for `key`: `attributes`, which nobody else has yet, unless another is there already."""
    for attribute in attributes.values():
        if isinstance(attribute, Communities):
            attribute.communities = _Frozen(attribute.communities)
    attributes.__class__ = Attributes
    return Attributes._table.keep(key, attributes)


def _split(data: bytes, negotiated: Any) -> tuple[bytes, bytes] | None:
    """Return the key of the attributes in the body of an UPDATE, and the body without them.

    None for what cannot be shared: the lengths are not exact, or the session is not one of ExaBGP's.
    """
    # AS_PATH and AGGREGATOR read the one, AIGP the other; tests/test_attributes.py watches that there is no third.
    asn4, aigp = getattr(negotiated, 'asn4', None), getattr(negotiated, 'aigp', None)
    if type(asn4) is not bool or type(data) is not bytes:
        return None
    shared, own = [b'\1' if asn4 else b'\0', b'\1' if aigp else b'\0'], []
    try:
        start = 2 + (data[0] << 8 | data[1])
        at = start + 2
        end = at + (data[start] << 8 | data[start + 1])
        announced = data[end:]
        while at < end:
            begin, code = at, data[at + 1]
            at += 4 + (data[at + 2] << 8 | data[at + 3]) if data[at] & EXTENDED_LENGTH else 3 + data[at + 2]
            if code in MP_NLRI:
                own.append(data[begin:at])
                continue
            shared.append(data[begin:at])
            if code == NEXT_HOP and announced:
                own.append(data[begin:at])  # ExaBGP gives it to the routes that stand behind the attributes
    except IndexError:
        return None
    if at != end or end > len(data):
        return None
    attributes = b''.join(own)
    return b''.join(shared), data[:start] + len(attributes).to_bytes(2, 'big') + attributes + announced


def _unpack_message(cls: Any, data: Any, direction: Any, negotiated: Any) -> Any:
    """Decode the body of an UPDATE as ExaBGP's `Update.unpack_message`, which this stands for."""
    stock = _unpack_message._stock.__func__  # type: ignore[attr-defined]
    split = _split(data, negotiated)
    if split is None:
        return stock(cls, data, direction, negotiated)
    key, rest = split
    entry: Any = Attributes._refs.get(key)
    shared = entry and entry()
    # ExaBGP's debug log tells every attribute of an UPDATE that it parses
    if shared is not None and not option.log_enabled('parser', 'DEBUG'):
        try:
            update = stock(cls, rest, direction, negotiated)
        except Exception:
            update = None  # it is the whole UPDATE that ExaBGP refuses, or not
        if type(update) is Update and update.attributes.keys() <= {NEXT_HOP}:
            own = update.attributes.get(NEXT_HOP)
            for nlri in update.nlris if own is not None else ():
                if getattr(nlri, 'nexthop', None) is own:  # routes of some families have none
                    nlri.nexthop = shared[NEXT_HOP]
            update.attributes = shared
            entry.hits += 1
            return update
    # ExaBGP keeps the set of the UPDATE before; 5.0.1 for all sessions, whatever they have agreed on.
    if hasattr(Stock, 'cached'):
        Stock.cached = None
    else:
        negotiated.cached_attributes = None
    update = stock(cls, data, direction, negotiated)
    if type(update) is Update and update.attributes.keys().isdisjoint(ERRORS):
        update.attributes = _share(key, update.attributes)
    return update


def install() -> None:
    """Make UPDATEs share their attribute sets."""
    # somebody who has wrapped our decoder calls it, and it is not to call them
    if not hasattr(_unpack_message, '_stock') or vars(Update)['unpack_message'] is _unpack_message._stock:
        uninstall()  # what an earlier import of this module has installed
        _unpack_message._stock = vars(Update)['unpack_message']  # type: ignore[attr-defined]
        Update.unpack_message = classmethod(_unpack_message)


def uninstall() -> None:
    """Put ExaBGP's decoder back, unless somebody has wrapped ours.  Sets that routes still hold stay shared."""
    ours = vars(_decoder())
    if ours.keys() == {'_stock'}:  # and not a wrapper of it, which functools.wraps gives more
        Update.unpack_message = ours.pop('_stock')


def installed() -> bool:
    """Return whether UPDATEs share their attribute sets."""
    return _decoder() is _unpack_message


def _decoder() -> Any:
    return vars(Update)['unpack_message'].__func__


def known() -> bool:
    """Return whether decoding has the shape of ExaBGP 5.0."""
    return (
        issubclass(Stock, dict)
        and isinstance(vars(Update).get('unpack_message'), classmethod)
        and tuple(signature(Update.unpack_message).parameters) == ('data', 'direction', 'negotiated')
        and tuple(signature(Stock.unpack).parameters) == ('data', 'direction', 'negotiated')
    )
