"""The label stack, RFC 3107 section 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from exabgp.bgp.message.update.nlri.qualifier import labels as module

from exabgp_intern.canonical import Canonical, Shared, looked_up, read_only, slots, stock_of

__all__ = ('Labels',)

Stock: Any = stock_of(module.Labels)


class Labels(Canonical, Stock):
    """ExaBGP's Labels, one instance a value: `Labels(labels, bos=True, raw_labels=None)`.

    `labels` is a list of ints of 20 bits, `raw_labels` one of 24 bits with the bottom of stack bit.

    The key, in the order of how often each occurs: an int for one label to which ExaBGP adds the bottom of stack bit;
    bytes for a stack as it was on the wire; ((label, ...),) for several labels to which ExaBGP adds that bit;
    (packed, (labels, raw labels)) for any other.
    """

    __slots__ = ()

    _stock = Stock
    _state = ('labels', 'raw_labels', 'packed', '_len')
    _length = 3
    _sentinel = 'NOLABEL'
    _parameters = ('labels', 'bos', 'raw_labels')
    _samples: ClassVar[Any] = (
        {'labels': [100]},
        {'labels': [100, 3]},
        {'labels': [100], 'bos': False},
        {'labels': [], 'raw_labels': [1601]},
        {'labels': []},
    )

    def __new__(cls, labels: Any = ..., bos: Any = ..., raw_labels: Any = ...) -> Any:
        # one label, to which ExaBGP adds the bottom of stack bit: VPN routes are decoded so
        if type(labels) is list and bos is ... and raw_labels is ...:
            try:
                (label,) = labels
                entry = cls._refs.get(label)
                shared = entry and entry()
                if type(label) is int:  # exactly: True is equal to 1, and prints differently
                    if shared is not None:
                        return shared
                    if 0 <= label <= cls.MAX and cls is cls._canonical:
                        return cls._make(label)
            except Exception:  # another number of labels, or what cannot be a key
                pass
            if len(labels) > 1 and {*map(type, labels)} == {int}:
                entry = cls._refs.get((tuple(labels),))
                shared = entry and entry()
                if shared is not None:
                    return shared
        return cls._construct(labels, bos, raw_labels)

    unpack = looked_up(Stock.unpack.__func__)

    @staticmethod
    def _stack(labels: Any) -> Any:
        """Return labels as they are on the wire, the last with the bottom of stack bit."""
        *above, bottom = labels
        return b''.join(
            (raw % (1 << 24)).to_bytes(3, 'big') for raw in (*(label << 4 for label in above), bottom << 4 | 1)
        )

    @staticmethod
    def _raws(packed: Any) -> Any:
        return [int.from_bytes(packed[at : at + 3], 'big') for at in range(0, len(packed), 3)]

    @classmethod
    def _key_of(cls, instance: Any) -> Any:
        labels, raws, packed = instance.labels, instance.raw_labels, instance.packed
        if type(labels) is not list or type(raws) is not list:
            return None
        if not {*map(type, labels)} <= {int} or not {*map(type, raws)} <= {int, type(None)}:
            return None
        if labels and raws == [None] * len(labels) and packed == cls._stack(labels):
            return labels[0] if len(labels) == 1 and labels[0] <= cls.MAX else (tuple(labels),)
        if labels and raws == cls._raws(packed) and labels == [raw >> 4 for raw in raws]:
            return packed
        return packed, (tuple(labels), tuple(raws))


class _SharedLabels(Shared, Labels):
    __slots__ = slots(Stock, '_key')
    __dict__ = read_only

    if TYPE_CHECKING:
        _key: Any

    # json() reads both lists of every route: one label has a way of its own

    @property
    def labels(self) -> Any:
        key = self._key
        if type(key) is int:
            return [key]
        if type(key) is bytes:
            return [int.from_bytes(key, 'big') >> 4] if len(key) == 3 else [raw >> 4 for raw in self._raws(key)]
        return list(key[0] if len(key) == 1 else key[1][0])

    @property
    def raw_labels(self) -> Any:  # a list of ints, or of None for each label
        key = self._key
        if type(key) is int:
            return [None]
        if type(key) is bytes:
            return [int.from_bytes(key, 'big')] if len(key) == 3 else self._raws(key)
        return [None] * len(key[0]) if len(key) == 1 else list(key[1][1])

    @property
    def packed(self) -> Any:
        key = self._key
        if type(key) is int:
            return self._stack([key])
        if type(key) is bytes:
            return key
        return self._stack(key[0]) if len(key) == 1 else key[0]

    @property
    def _len(self) -> Any:
        return 3 if type(self._key) is int else len(self.packed)
