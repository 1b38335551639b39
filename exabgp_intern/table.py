"""A table of live objects by key, which every thread, finaliser and callback may use at any time.

It holds the objects weakly.  When the last other reference to an object goes, the object and its entry go.  There is no
size to tune, and nothing to clear.

Three steps change what threads share: `dict.setdefault` for a new entry, `_remove_dead_weakref` for a dead one, and
`next` of an `itertools.count`.  Each is one function of C.  With a GIL nothing runs in the middle of it.  Without one,
CPython locks the dict for the first two, and counts with one atomic instruction.
"""

from __future__ import annotations

import _weakref
from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary, ref

__all__ = ('Counting', 'Entry', 'Table')


class Entry(ref):  # type: ignore[type-arg]
    """A weak reference that knows its key.

    weakref.KeyedRef does the same in Python.  This one is made in half the time, and works until the interpreter exits.
    """

    __slots__ = ('key',)

    if TYPE_CHECKING:
        key: Any


class Table(WeakValueDictionary):  # type: ignore[type-arg]
    """The live objects by key, which is bytes, an int, a str, or a tuple of these."""

    if TYPE_CHECKING:
        data: Any  # the dict inside a WeakValueDictionary: of entries, by key
        _remove: Any  # what an entry calls when its instance dies

    # Attributes, because at exit the interpreter empties modules before it runs the last finalisers.
    _entry = Entry
    # weakref itself evicts with this function: it removes an entry in one step, and only if the entry is dead.  PyPy
    # has none, and install() refuses it.
    _evict = staticmethod(getattr(_weakref, '_remove_dead_weakref', None))  # type: ignore[arg-type]

    def __init__(self) -> None:
        super().__init__()
        self._misses = count()

    def find(self, key: Any) -> Any:
        """Return the live instance for `key`, or None."""
        entry = self.data.get(key)
        return entry and entry()

    def keep(self, key: Any, instance: Any) -> Any:
        """Return the one live instance for `key`: `instance`, unless the table has another.

        This takes no lock.  Between any two lines another thread may make an instance for the same key, and so may a
        finaliser or a weak reference callback that a garbage collection runs.
        """
        made = self._entry(instance, self._remove)
        made.key = key
        while True:
            # One step in C.  With `get` and then a store, another thread could store in between.
            held = self.data.setdefault(key, made)
            if held is made:
                next(self._misses)
                return instance
            winner = held()
            if winner is not None:
                return winner
            # The entry is dead, and not yet removed.  A garbage collection clears all weak references before it runs
            # the first callback.  If we run in such a callback, nobody else removes the entry before we return.
            self._evict(self.data, key)

    def misses(self) -> int:
        """Return how many instances this table has taken in since it was made: each was a miss."""
        # `next` on a count is one step, and `+= 1` is not.  Its repr shows the number without a step.
        return int(repr(self._misses)[len('count(') : -1])


class _CountingEntry(Entry):
    """An entry that counts for how many UPDATEs its set was found: `stats()` cannot tell from the routes."""

    __slots__ = ('hits',)

    def __init__(self, *_: Any) -> None:
        self.hits = 0


class Counting(Table):
    """A table of the attribute sets of UPDATEs, which counts the hits of each."""

    _entry = _CountingEntry
