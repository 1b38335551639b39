"""The label stack, RFC 3107 section 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from exabgp.bgp.message.update.nlri.qualifier.labels import Labels as Stock

from exabgp_intern.canonical import NOTHING, Canonical, CanonicalType

__all__ = ('Labels',)


class _Call(CanonicalType):
    def __call__(cls: Any, labels: Any = NOTHING, /, *args: Any, **kwargs: Any) -> Any:
        # one label, to which the constructor adds the bottom of stack bit: how VPN routes are decoded
        if type(labels) is list and len(labels) == 1 and not (args or kwargs):
            label = labels[0]
            if type(label) is int and 0 <= label <= cls.MAX and cls._plain:
                held = cls._refs.get(label, cls._nothing)()
                return cls._table.intern(label, cls) if held is None else held
        given = args if labels is cls._nothing else (labels, *args)
        # What cannot be a key stays as ExaBGP made it, but not with the caller's own list inside.
        unshared = {name: cls._unshared(value) for name, value in kwargs.items()}
        return super().__call__(*map(cls._unshared, given), **unshared)


class Labels(Canonical, Stock, metaclass=_Call):
    """ExaBGP's Labels, one instance a value: `Labels(labels, bos=True, raw_labels=None)`.

    `labels` is a list of ints of 20 bits, `raw_labels` one of 24 bits with the bottom of stack bit.

    The key, in the order of how often it occurs: an int for one label with the bottom of stack bit;
    bytes for a stack as it was on the wire; else (labels, raw labels, packed).
    """

    # What json() reads of a stack of one label: to ask the key each time costs json() of a route a tenth.
    __slots__ = ('_label', '_len', '_raw')

    if TYPE_CHECKING:
        _label: int | None
        _len: int
        _raw: int | None
        _set_label: ClassVar[Any]
        _set_len: ClassVar[Any]
        _set_raw: ClassVar[Any]

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
    def _fill(cls, instance: Any, key: Any) -> None:
        label = raw = None
        if type(key) is int:
            label, length = key, 3
        elif type(key) is bytes:
            length = len(key)
            if length == 3:
                raw = int.from_bytes(key, 'big')
                label = raw >> 4
        else:
            length = len(key[2])
        super()._fill(instance, key)
        cls._set_label(instance, label)
        cls._set_len(instance, length)
        cls._set_raw(instance, raw)

    @property
    def labels(self) -> list[int]:
        label = self._label
        if label is not None:
            return [label]
        key = self._key
        return [raw >> 4 for raw in self._raws(key)] if type(key) is bytes else list(key[0])

    @property
    def raw_labels(self) -> list[Any]:  # ints, or None for each label
        if self._label is not None:
            return [self._raw]
        key = self._key
        return self._raws(key) if type(key) is bytes else list(key[1])

    @property
    def packed(self) -> bytes:
        key: Any = self._key
        if type(key) is int:
            return self._one(key)
        return key if type(key) is bytes else key[2]

    @classmethod
    def unpack(cls, data: Any) -> Any:
        """Return the label stack at the head of the wire bytes `data`, 3 octets a label."""
        if type(data) is bytes and len(data) == 3 and cls._plain:
            held = cls._refs.get(data, cls._nothing)()
            return cls._table.intern(data, cls) if held is None else held
        return super().unpack(data)

    @staticmethod
    def _one(label: int) -> bytes:
        return (label << 4 | 1).to_bytes(3, 'big')

    @staticmethod
    def _raws(packed: bytes) -> list[int]:
        return [int.from_bytes(packed[at : at + 3], 'big') for at in range(0, len(packed), 3)]

    @staticmethod
    def _unshared(value: Any) -> Any:
        return value[:] if type(value) is list else value

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


# past __setattr__
Labels._set_label, Labels._set_len, Labels._set_raw = (vars(Labels)[slot].__set__ for slot in Labels.__slots__)
