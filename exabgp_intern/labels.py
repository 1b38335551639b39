"""The label stack, RFC 3107 section 3."""

from __future__ import annotations

from typing import Any, List, Optional

from exabgp.bgp.message.update.nlri.qualifier.labels import Labels as Stock

from exabgp_intern.canonical import NOTHING, Canonical, CanonicalType

__all__ = ('Labels',)

_init = Stock.__init__


class _Call(CanonicalType):
    def __call__(cls, labels: Any = NOTHING, /, *args: Any, **kwargs: Any) -> Any:
        if type(labels) is list and len(labels) == 1 and cls.__init__ is _init and not args and not kwargs:
            label = labels[0]
            if type(label) is int:
                held = cls._refs.get(label, NOTHING)()
                if held is not None:
                    return held
                if 0 <= label <= cls.MAX:
                    return cls._table.intern(label, cls)
        return CanonicalType.__call__(cls, *(() if labels is NOTHING else (labels,)), *args, **kwargs)


class Labels(Canonical, Stock, metaclass=_Call):
    """ExaBGP's Labels, one instance a value: `Labels(labels, bos=True, raw_labels=None)`.

    `labels` is a list of ints of 20 bits, `raw_labels` one of 24 bits with the bottom of stack bit.

    The key, in the order of how often it occurs: an int for one label with the bottom of stack bit;
    bytes for a stack as it was on the wire; else (labels, raw labels, packed).
    """

    __slots__ = ()

    _stock = Stock
    _state = ('labels', 'raw_labels', 'packed', '_len')
    _parameters = ('labels', 'bos', 'raw_labels')
    _samples = ({'labels': [100]}, {'labels': [100, 3]}, {'labels': [100], 'bos': False}, {'labels': [], 'raw_labels': [1601]})
    _sentinel = 'NOLABEL'

    @property
    def labels(self) -> List[int]:
        key = self._key
        if type(key) is int:
            return [key]
        return [raw >> 4 for raw in _raws(key)] if type(key) is bytes else list(key[0])

    @property
    def raw_labels(self) -> List[Optional[int]]:
        key = self._key
        if type(key) is int:
            return [None]
        return _raws(key) if type(key) is bytes else list(key[1])

    @property
    def packed(self) -> bytes:
        key = self._key
        if type(key) is int:
            return (key << 4 | 1).to_bytes(3, 'big')
        return key if type(key) is bytes else key[2]

    @property
    def _len(self) -> int:
        return 3 if type(self._key) is int else len(self.packed)

    def __len__(self) -> int:
        return 3 if type(self._key) is int else len(self.packed)

    @classmethod
    def unpack(cls, data: Any) -> Any:
        """Return the label stack at the head of the wire bytes `data`, 3 octets a label."""
        if type(data) is not bytes or len(data) != 3:
            return super().unpack(data)
        held = cls._refs.get(data, NOTHING)()
        return cls._table.intern(data, cls) if held is None else held

    @staticmethod
    def _key_of(made: Any) -> Any:
        labels, raws, packed = made.labels, made.raw_labels, made.packed
        if type(labels) is not list or type(raws) is not list:
            return None
        if not {type(value) for value in labels} <= {int} or not {type(value) for value in raws} <= {int, type(None)}:
            return None
        if len(labels) == 1 and raws == [None] and packed == (labels[0] << 4 & 0xffffff | 1).to_bytes(3, 'big') and labels[0] <= made.MAX:
            return labels[0]
        if packed and None not in raws and raws == _raws(packed) and labels == [raw >> 4 for raw in raws]:
            return packed
        return tuple(labels), tuple(raws), packed


def _raws(packed: bytes) -> List[int]:
    return [int.from_bytes(packed[at : at + 3], 'big') for at in range(0, len(packed), 3)]
