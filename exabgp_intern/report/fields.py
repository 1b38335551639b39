"""Octets of a file, field by field."""

from __future__ import annotations

from typing import Iterator

__all__ = ('Damaged', 'Fields', 'path_attributes')


class Damaged(Exception):
    """From here on the file cannot be read, in one line."""


class Fields:
    """Octets, from their start on.  Raises Damaged where there are not as many as asked for."""

    def __init__(self, data: bytes, where: str) -> None:
        self.where = where
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def octets(self, length: int) -> bytes:
        start, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise Damaged(f'{self.where}: a field is longer than what contains it')
        return self._data[start : self._at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.octets(length), 'big')

    def rest(self) -> bytes:
        return self.octets(len(self._data) - self._at)


def path_attributes(data: bytes, where: str) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the code, the value and all octets of each path attribute, RFC 4271 section 4.3.  Raises Damaged."""
    fields = Fields(data, where)
    while fields:
        head = fields.octets(2)
        length = fields.octets(2 if head[0] & 0x10 else 1)
        value = fields.octets(int.from_bytes(length, 'big'))
        yield head[1], value, head + length + value
