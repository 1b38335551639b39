"""Announced routes of ExaBGP 6: those of the configuration and the API with the same attributes share one set.

The key of a set is the pickle of its attributes, as in exabgp_intern/attribute/announced.py.  In ExaBGP 6 every route
passes `Neighbor.resolve_self` when it is complete, before it enters a RIB, and is not copied after that.

The routes of a configuration reach that method only when the section of their neighbor ends.  Until then each would
have a set of its own, and the process would keep the memory of these sets.  So most sets are shared as soon as the
statement of the route has been parsed.
"""

from __future__ import annotations

import pickle
from collections import Counter
from copy import copy
from inspect import signature
from typing import Any, ClassVar

from exabgp.bgp.message.update.attribute import AttributeCollection
from exabgp.bgp.neighbor import Neighbor
from exabgp.configuration.core.scope import Scope
from exabgp.rib.route import Route

from exabgp_intern.exabgp6.nexthops import shared_next_hop
from exabgp_intern.exabgp6.sets import UNSHARED, Attributes
from exabgp_intern.hooks import Hook, Hooks
from exabgp_intern.table import Table

__all__ = ('HOOKS', 'TABLE', 'known')

# Marks such as `watchdog`: ExaBGP takes them out of the set when the route enters the RIB.
APART = {*UNSHARED, *map(int, AttributeCollection.INTERNAL)}


class Announced(Attributes):
    """A set that announced routes share."""

    _table = Table()
    _refs: ClassVar[dict[bytes, Any]] = _table.data


def _share(route: Any) -> None:
    """Give a route the shared set that has the same attributes, and the shared next hop, where there can be one."""
    attributes = route.attributes
    if type(attributes) is not AttributeCollection or not APART.isdisjoint(attributes):
        return
    try:
        key = pickle.dumps(list(attributes.items()), pickle.HIGHEST_PROTOCOL)
    except Exception:  # what cannot be pickled is not shared
        return
    shared = Announced._table.find(key)
    route.attributes = Announced._share(key, attributes) if shared is None else shared
    route._nexthop = shared_next_hop(route._nexthop)


def _resolve_self(stock: Any) -> Any:
    def resolve_self(self: Any, route: Any) -> Any:
        """Return a neighbor's own route, `next-hop self` resolved, for `route`."""
        own = stock(self, route)
        if type(own) is Route:
            _share(own)
        return own

    return resolve_self


def _share_all(values: Any) -> None:
    """Share the sets of the routes that the parser has made of one statement.  `values` may hold other things too.

    If several routes have one set, it stays theirs: what the parser adds to the last one, it adds to all of them.
    """
    routes = [value for value in values if type(value) is Route] if isinstance(values, list) else []
    sets = Counter(id(route.attributes) for route in routes)
    for route in routes:
        if sets[id(route.attributes)] == 1:
            _share(route)


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
        if isinstance(route.attributes, Announced):
            route.attributes = copy(route.attributes)
        return stock(self, name, data)

    return attribute_add


TABLE = Announced._table
HOOKS = Hooks(
    [
        Hook(Neighbor, 'resolve_self', _resolve_self),
        Hook(Scope, 'extend_routes', _extend_routes),
        Hook(Scope, 'extend', _extend),
        Hook(Scope, 'attribute_add', _attribute_add),
    ]
)


def known() -> bool:
    """Return whether ExaBGP keeps announced routes as 6 does."""
    methods = (
        (Neighbor.resolve_self, ('self', 'route')),
        (Scope.extend_routes, ('self', 'value')),
        (Scope.extend, ('self', 'name', 'data')),
        (Scope.attribute_add, ('self', 'name', 'data')),
        (Route, ('nlri', 'attributes', 'nexthop')),
    )
    return '_nexthop' in Route.__slots__ and all(
        tuple(signature(method).parameters) == parameters for method, parameters in methods
    )
