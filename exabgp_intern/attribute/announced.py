"""Announced routes: those of the configuration and the API with the same attributes share one attribute set.

An announced route has no wire bytes that could be the key of its set.  The key is the pickle of its attributes: two
pickles are equal only if the state of all objects in them is equal.  A set that cannot be pickled is not shared.

ExaBGP makes two deep copies of each route that it has parsed, for each neighbor: one in `neighbor.changes`, and one in
the RIB.  Here a set is shared as soon as its route is complete, and a copy of a route has the set of the original.  A
route in which ExaBGP changes nothing for a neighbor is not copied.  It is then one object in all these places.
"""

from __future__ import annotations

import pickle
from collections import Counter
from copy import copy, deepcopy
from inspect import signature
from typing import Any, ClassVar

from exabgp.bgp import neighbor
from exabgp.bgp.message.update.attribute import Attribute
from exabgp.bgp.message.update.nlri.qualifier import Labels, PathInfo, RouteDistinguisher
from exabgp.bgp.neighbor import Neighbor
from exabgp.configuration.core.scope import Scope
from exabgp.configuration.flow.route import ParseFlowRoute
from exabgp.configuration.l2vpn.vpls import ParseVPLS
from exabgp.configuration.static.route import ParseStaticRoute
from exabgp.rib import outgoing
from exabgp.rib.change import Change

from exabgp_intern import lines
from exabgp_intern.attribute.sets import Attributes, Stock
from exabgp_intern.hooks import Hook, Hooks
from exabgp_intern.table import Entry, Table

__all__ = ('HOOKS', 'TABLE', 'known')

ANNOUNCE, _ = lines.actions()
SPLIT = Attribute.CODE.INTERNAL_SPLIT
WATCHDOG, WITHDRAW = Attribute.CODE.INTERNAL_WATCHDOG, Attribute.CODE.INTERNAL_WITHDRAW

# In ExaBGP 4.2 `del_from_rib` changes the route that it is given.  In ExaBGP 5.0 it changes a copy.
DEL_FROM_RIB_COPIES = 'deepcopy' in vars(outgoing)

# Before ExaBGP 5.0.7 a deep copy of one of these sentinels is another object, and ExaBGP treats it differently: its
# index differs, for example.  A copy of a route must then have a copy of the sentinel.
COPIED_SENTINELS = {
    id(each) for each in (RouteDistinguisher.NORD, Labels.NOLABEL, PathInfo.NOPATH) if not hasattr(each, '__deepcopy__')
}


class _Entry(Entry):
    """An entry that also holds a next hop for NLRIs, apart from the attribute NEXT_HOP.  Routes of one set share it."""

    __slots__ = ('next_hop',)

    def __init__(self, *_: Any) -> None:
        self.next_hop: Any = None


class _Sets(Table):
    _entry = _Entry


class Announced(Attributes):
    """A set that announced routes share."""

    _table = _Sets()
    _refs: ClassVar[dict[bytes, Any]] = _table.data

    # ExaBGP removes these two internal attributes when the route enters the RIB.  A shared set keeps them.  ExaBGP
    # neither sends nor shows them.

    def watchdog(self) -> Any:
        return self.get(WATCHDOG)

    def withdraw(self) -> bool:
        return WITHDRAW in self


def _key_of(attributes: Any) -> bytes:
    items = list(attributes.items())
    if not attributes.keys().isdisjoint(Stock.INTERNAL):
        # ExaBGP defines the class of an internal attribute in a function, so it cannot be pickled.  The key holds the
        # name of the class, and the value: a str, an int, or nothing.
        items = [
            (code, (type(value).__qualname__, getattr(value, '__getnewargs__', tuple)()))
            if code in Stock.INTERNAL and not isinstance(value, Attribute)
            else (code, value)
            for code, value in items
        ]
    return pickle.dumps(items, pickle.HIGHEST_PROTOCOL)


def _share(change: Any, alone: bool = True) -> None:
    """Give a route the shared set that has the same attributes, and the next hop of the first route of that set.

    Do nothing if the set is shared already, or if its attributes cannot be shared.  `alone` says that no other route
    has the set.  The set itself may then become the shared one.
    """
    attributes = change.attributes
    if type(attributes) is not Stock:
        return
    try:
        key = _key_of(attributes)
    except Exception:
        return
    entry = Announced._refs.get(key)
    shared = None if entry is None else entry()
    if shared is None:
        shared = Announced._share(key, attributes if alone else deepcopy(attributes))
    change.attributes = shared
    entry = Announced._refs[key]
    next_hop = getattr(change.nlri, 'nexthop', None)
    if entry.next_hop is None:
        entry.next_hop = next_hop
    elif type(next_hop) is type(entry.next_hop) and lines.attributes(next_hop) == lines.attributes(entry.next_hop):
        change.nlri.nexthop = entry.next_hop


def _needs_a_copy(change: Any) -> bool:
    """Return whether a neighbor needs a copy of `change`, because ExaBGP will change its own."""
    return not (
        DEL_FROM_RIB_COPIES
        and type(change) is Change
        and type(change.attributes) is Announced
        and WATCHDOG not in change.attributes  # `announce watchdog` sets the action, if to the same value
        and change.nlri.action == ANNOUNCE  # ExaBGP may yet set another one
        and not getattr(change.nlri.nexthop, 'SELF', True)
        and (not COPIED_SENTINELS or COPIED_SENTINELS.isdisjoint(map(id, lines.attributes(change.nlri).values())))
    )


def _remove_self(stock: Any) -> Any:
    of_exabgp = getattr(stock, '__globals__', None) is vars(neighbor)

    def remove_self(self: Any, changes: Any) -> Any:
        """Return a neighbor's own route, `next-hop self` resolved, for the route `changes`."""
        if of_exabgp and not _needs_a_copy(changes):
            return changes
        own = stock(self, changes)
        _share(own)
        return own

    return remove_self


def _deepcopy(stock: Any) -> Any:
    def copied(change: Any, *memo: Any) -> Any:
        """Copy a route so that ExaBGP can change it: its NLRI, and its attributes if the next hop is self."""
        if type(change) is not Change:
            return stock(change, *memo)
        own = Change(copy(change.nlri), change.attributes)
        _share(own, alone=False)
        if not isinstance(own.attributes, Attributes):
            return stock(change, *memo)
        for name, value in lines.attributes(change.nlri).items() if COPIED_SENTINELS else ():
            if id(value) in COPIED_SENTINELS:
                setattr(own.nlri, name, deepcopy(value))
        if getattr(getattr(change.nlri, 'nexthop', None), 'SELF', False):
            attributes = Stock()
            attributes.update(own.attributes)
            own.attributes = attributes
        return own

    return copied


def _share_all(values: Any) -> None:
    """Share the attribute sets of the complete routes that the parser has made from one statement.

    `values` may hold other objects too.  A set that several routes have is left alone: what the parser later adds to
    the last route, ExaBGP adds to all of them.  A route that ExaBGP has yet to split is left alone too, because the
    routes that it is split into will have one set.
    """
    changes = [value for value in values if type(value) is Change] if isinstance(values, list) else []
    sets = Counter(id(change.attributes) for change in changes)
    for change in changes:
        if sets[id(change.attributes)] == 1 and SPLIT not in change.attributes:
            _share(change)


def _post(stock: Any) -> Any:
    def post(self: Any) -> Any:
        """End the section of a route."""
        done = stock(self)
        _share_all(self.scope.get_routes()[-2:])  # the routes of one statement follow each other
        return done

    return post


def _extend_routes(stock: Any) -> Any:
    def extend_routes(self: Any, value: Any) -> Any:
        _share_all(value)
        return stock(self, value)

    return extend_routes


def _extend(stock: Any) -> Any:
    def extend(self: Any, name: Any, data: Any) -> Any:
        _share_all(data)
        return stock(self, name, data)

    return extend


def _attribute_add(stock: Any) -> Any:
    def attribute_add(self: Any, name: Any, data: Any) -> Any:
        """Add to the set of the last route."""
        route = self.get_route()
        if isinstance(route.attributes, Attributes):
            route.attributes = copy(route.attributes)
        return stock(self, name, data)

    return attribute_add


TABLE = Announced._table
HOOKS = Hooks(
    [
        *(Hook(section, 'post', _post) for section in (ParseStaticRoute, ParseFlowRoute, ParseVPLS)),
        Hook(Scope, 'extend_routes', _extend_routes),
        Hook(Scope, 'extend', _extend),
        Hook(Scope, 'attribute_add', _attribute_add),
        Hook(Neighbor, 'remove_self', _remove_self),
        *(Hook(module, 'deepcopy', _deepcopy) for module in (neighbor, outgoing) if 'deepcopy' in vars(module)),
    ]
)


def known() -> bool:
    """Return whether ExaBGP keeps announced routes as 4.2.22 and 5.0 do."""
    methods = (
        *((section.post, ('self',)) for section in (ParseStaticRoute, ParseFlowRoute, ParseVPLS)),
        (Scope.extend_routes, ('self', 'value')),
        (Scope.extend, ('self', 'name', 'data')),
        (Scope.attribute_add, ('self', 'name', 'data')),
        (Neighbor.remove_self, ('self', 'changes')),
        (Change, ('nlri', 'attributes')),
    )
    return (
        issubclass(Stock, dict)
        and hasattr(Stock, 'INTERNAL')
        and 'deepcopy' in vars(neighbor)
        and all(tuple(signature(method).parameters) == parameters for method, parameters in methods)
    )
