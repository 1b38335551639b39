"""The label stack, RFC 3107 section 3."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message.update.nlri.qualifier.labels import Labels as Stock

from exabgp_intern.canonical import Canonical, refusing_as

__all__ = ('Labels',)


class Labels(Canonical, Stock):
    """ExaBGP's Labels, one instance a value: `Labels(labels, bos=True, raw_labels=None)`.

    `labels` is a list of ints of 20 bits, `raw_labels` one of 24 bits with the bottom of stack bit.

    The key, in the order of how often it occurs: an int for one label with the bottom of stack bit;
    bytes for a stack as it was on the wire; else (labels, raw labels, packed).
    """

    __slots__ = ()

    _stock = Stock
    _state = ('labels', 'raw_labels', 'packed', '_len')
    _parameters = ('labels', 'bos', 'raw_labels')
    _samples = (
        {'labels': [100]},
        {'labels': [100, 3]},
        {'labels': [100], 'bos': False},
        {'labels': [], 'raw_labels': [1601]},
        {'labels': []},
    )
    _sentinel = 'NOLABEL'

    @classmethod
    def _call_of(cls, refs: Any) -> Any:
        def call(self: Any, labels: Any, bos: Any = True, raw_labels: Any = None) -> Any:
            # one label, to which the constructor adds the bottom of stack bit: how VPN routes are decoded
            if type(labels) is list and len(labels) == 1 and bos is True and raw_labels is None:
                label = labels[0]
                if type(label) is int:
                    try:
                        made = refs[label]()
                        if made is not None:
                            return made
                    except KeyError:
                        pass
                    if 0 <= label <= self.MAX:
                        return self._table.intern(label, self, label)
            return self._construct(labels, bos, raw_labels)

        return refusing_as(Stock.__init__, call)

    # json() of a route reads both lists: one label has a way of its own.

    @property
    def labels(self) -> list[int]:
        key = self._key
        if type(key) is int:
            return [key]
        if type(key) is bytes:
            return [int.from_bytes(key, 'big') >> 4] if len(key) == 3 else [raw >> 4 for raw in self._raws(key)]
        return list(key[0])

    @property
    def raw_labels(self) -> list[Any]:  # ints, or None for each label
        key = self._key
        if type(key) is int:
            return [None]
        if type(key) is bytes:
            return [int.from_bytes(key, 'big')] if len(key) == 3 else self._raws(key)
        return list(key[1])

    @property
    def packed(self) -> bytes:
        key: Any = self._key
        if type(key) is int:
            return self._one(key)
        return key if type(key) is bytes else key[2]

    @property
    def _len(self) -> int:
        return 3 if type(self._key) is int else len(self.packed)

    @classmethod
    def unpack(cls, data: Any) -> Any:
        """Return the label stack at the head of the wire bytes `data`, 3 octets a label."""
        try:
            made = cls._refs[data]()
            if made is not None and len(data) == 3:
                return made
        except Exception:  # not there, or cannot be
            pass
        if type(data) is bytes and len(data) == 3 and cls._plain:
            return cls._table.intern(data, cls, data)
        return super().unpack(data)

    @staticmethod
    def _one(label: int) -> bytes:
        return (label << 4 | 1).to_bytes(3, 'big')

    @staticmethod
    def _raws(packed: bytes) -> list[int]:
        return [int.from_bytes(packed[at : at + 3], 'big') for at in range(0, len(packed), 3)]

    @classmethod
    def _canonical(cls, made: Any) -> Any:
        canonical = super()._canonical(made)
        if canonical is made:  # as ExaBGP made it, but not with the caller's own lists inside
            for name in ('labels', 'raw_labels'):
                if type(vars(made).get(name)) is list:
                    vars(made)[name] = vars(made)[name][:]
        return canonical

    @classmethod
    def _key_of(cls, made: Any) -> Any:
        labels, raws, packed = made.labels, made.raw_labels, made.packed
        if type(labels) is not list or type(raws) is not list:
            return None
        # exactly int: True is equal to 1 and prints differently
        if not {*map(type, labels)} <= {int} or not {*map(type, raws)} <= {int, type(None)}:
            return None
        if len(labels) == 1 and raws == [None] and labels[0] <= made.MAX and packed == cls._one(labels[0]):
            return labels[0]
        if labels and raws == cls._raws(packed) and labels == [raw >> 4 for raw in raws]:
            return packed
        return tuple(labels), tuple(raws), packed
