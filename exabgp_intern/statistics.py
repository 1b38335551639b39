"""What the tables hold, and what that saves, at this moment."""

from __future__ import annotations

import sys
from statistics import mean
from typing import Any, NamedTuple

from exabgp_intern.installation import CLASSES, canonical_class

__all__ = ('Statistics', 'stats')


class Statistics(NamedTuple):
    """The objects of one class: all numbers are of now but `made` and `freed`, of since start."""

    alive: int
    references: int  # to those objects, from routes and whatever else holds them
    made: int
    freed: int
    bytes_saved: int  # by sharing, the table's own cost taken off; below 0 where too little is shared


def stats() -> dict[str, Statistics]:
    """Return Statistics by class name.  Another thread may decode routes meanwhile."""
    return {name: _of(canonical_class(name)) for name in CLASSES}


def _of(cls: Any) -> Statistics:
    # A snapshot: an iteration over the table itself would fail as soon as a thread adds to it.
    entries = cls._table.valuerefs()
    made = cls._table.misses()
    alive = references = 0
    for entry in entries:
        instance = entry()
        if instance is not None:
            alive += 1
            references += sys.getrefcount(instance) - 2  # this name's, and the call's
    # sizes: the mean of a hundred objects from all over the table
    apart, shared = [], []
    for entry in entries[:: len(entries) // 100 + 1]:
        instance = entry()
        if instance is not None:
            apart.append(_bytes_apart(cls, instance))
            shared.append(_bytes_shared(cls, instance, entry))
    saved = references * mean(apart) - alive * mean(shared) - sys.getsizeof(cls._refs) if apart else 0
    return Statistics(alive, references, made, made - alive, round(saved))


def _bytes_apart(cls: Any, instance: Any) -> int:
    """Return the bytes of ExaBGP's own object of this value: itself, its attributes, their values."""
    stock = object.__new__(cls._stock)
    for name in cls._state:
        value = getattr(instance, name)
        # as large as a list is that ExaBGP grew label by label
        setattr(stock, name, [each for each in value] if isinstance(value, list) else value)  # noqa: C416
    values = sum(map(_bytes_owned, vars(stock).values()))
    # From 3.11 an object's attributes stand beside it, 8 octets each and two words of head; the dict
    # that vars() makes of them is none that a route's object has.
    attributes = 8 * (len(cls._state) + 2) if sys.version_info >= (3, 11) else sys.getsizeof(vars(stock))
    return sys.getsizeof(stock) + attributes + values


def _bytes_shared(cls: Any, instance: Any, entry: Any) -> int:
    """Return the bytes of a canonical object, its values, and its reference in the table."""
    values = {id(value): value for value in (getattr(instance, slot) for slot in ('_key', *cls.__slots__))}
    return sys.getsizeof(instance) + sum(map(_bytes_owned, values.values())) + sys.getsizeof(entry)


def _bytes_owned(value: Any) -> int:
    if isinstance(value, (list, tuple)):
        return sys.getsizeof(value) + sum(map(_bytes_owned, value))
    if value is None or isinstance(value, int) and -5 <= value <= 256:
        return 0  # CPython has these once
    return sys.getsizeof(value)
