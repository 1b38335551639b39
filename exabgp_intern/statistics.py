"""What the tables hold, and what that saves, at this moment."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, Callable, Iterable, Iterator, NamedTuple
from weakref import ref

from exabgp_intern import lines
from exabgp_intern.installation import sets
from exabgp_intern.lines import attributes

__all__ = ('Statistics', 'stats')


class Statistics(NamedTuple):
    """The objects of one class: all numbers are of now but `made` and `freed`, of since start."""

    alive: int
    references: int  # to those objects, from routes and whatever else holds them
    made: int
    freed: int
    bytes_saved: int  # by sharing, the table's own cost taken off; below 0 where too little is shared
    bytes_table: int  # that cost: the table and its weak references


def stats() -> dict[str, Statistics]:
    """Return Statistics by class name.  Another thread may decode routes meanwhile.

    Of the attribute sets too: `Attributes` are those of UPDATEs, `Announced` those of the configuration and the API.
    `PathAttributes` are the attributes of UPDATEs, and the communities in them.
    """
    classes = {name: lines.canonical_class(name) for name in lines.classes()}
    rows = {name: _of(cls._table, partial(_bytes_apart, cls), _bytes_shared) for name, cls in classes.items()}
    for name, module in sets().items():
        rows[name] = _of(module.TABLE, _bytes_deep, _bytes_deep_shared)
    return rows


class _Known:
    """An object to which there is one reference."""


def _of(table: Any, bytes_apart: Callable[[Any], int], bytes_shared: Callable[[Any, Any], int]) -> Statistics:
    # A snapshot: an iteration over the table itself would fail as soon as a thread adds to it.
    entries = table.valuerefs()
    made = table.misses()
    alive = references = copies = 0
    known = _Known()
    own = None
    for entry in (ref(known), *entries):
        instance = entry()
        if instance is not None:
            count = sys.getrefcount(instance)
            if own is None:
                own = count - 1  # `known` is one reference; the others are of this code, and Pythons differ in them
                continue
            alive += 1
            held = count - own
            references += held
            # in ExaBGP too the routes of one UPDATE share its set, so there were not more copies than UPDATEs
            copies += min(held, 1 + entry.hits) if hasattr(entry, 'hits') else held
    # sizes: the mean of a hundred objects from all over the table
    apart, shared = [], []
    for entry in entries[:: len(entries) // 100 + 1]:
        instance = entry()
        if instance is not None:
            apart.append(bytes_apart(instance))
            shared.append(bytes_shared(instance, entry))
    unshared = copies * _mean(apart) if lines.nlris_hold() else 0
    saved = unshared - alive * _mean(shared) - sys.getsizeof(table.data) if apart else 0
    cost = sys.getsizeof(table.data) + sum(map(sys.getsizeof, entries[:1])) * len(entries)  # all of one size
    return Statistics(alive, references, made, made - alive, round(saved), cost)


def _mean(sizes: list[int]) -> float:
    # not that of the standard library, which brings decimal and fractions: a MB in the process that saves it
    return sum(sizes) / len(sizes) if sizes else 0


def _bytes_deep(instance: Any) -> int:
    """Return the bytes of a set or an attribute, and of all that it holds; it is the same in ExaBGP's own."""
    held = instance if isinstance(instance, dict) else attributes(instance)
    return sys.getsizeof(instance) + _bytes_beside(instance) + _bytes_owned(held.values())


def _bytes_deep_shared(instance: Any, entry: Any) -> int:
    return _bytes_deep(instance) + sys.getsizeof(entry) + sys.getsizeof(entry.key)


def _bytes_apart(cls: Any, instance: Any) -> int:
    """Return the bytes of ExaBGP's own object of this value: itself, its attributes, their values."""
    stock = object.__new__(cls._stock)
    for name in cls._state:
        value = getattr(instance, name)
        # as large as a list is that ExaBGP grew label by label
        setattr(stock, name, [each for each in value] if isinstance(value, list) else value)  # noqa: C416
    return sys.getsizeof(stock) + _bytes_beside(stock) + _bytes_owned(attributes(stock).values())


def _bytes_shared(instance: Any, entry: Any) -> int:
    """Return the bytes of a shared instance, its values, and its reference in the table."""
    values = [getattr(instance, slot) for slot in type(instance).__slots__ if slot != '__weakref__']
    return sys.getsizeof(instance) + _bytes_owned([*values, entry.key]) + sys.getsizeof(entry)


def _bytes_beside(instance: Any) -> int:
    # From Python 3.11 on, the attributes of an object are stored next to it: 8 octets each, and a header of two words.
    # The object of a route has no such dict as vars() creates here.
    if not hasattr(instance, '__dict__'):
        return 0
    return 8 * (len(vars(instance)) + 2) if sys.version_info >= (3, 11) else sys.getsizeof(vars(instance))


def _bytes_owned(values: Iterable[Any]) -> int:
    parts = {id(part): part for part in _parts(values)}  # a slot may have what is in the key
    # CPython has None and the small numbers once
    return sum(
        sys.getsizeof(part) + (_bytes_beside(part) if _is_attribute(part) else 0)
        for part in parts.values()
        if not (part is None or isinstance(part, type) or (isinstance(part, int) and -5 <= part <= 256))
    )


def _parts(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        yield value
        if isinstance(value, (list, tuple)):
            yield from _parts(value)
        elif _is_attribute(value):
            yield from _parts(attributes(value).values())


def _is_attribute(value: Any) -> bool:
    return type(value).__module__.startswith('exabgp.bgp.message.update.attribute.')
