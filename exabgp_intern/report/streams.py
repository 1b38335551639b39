"""Files, pipes and standard input as streams of octets, unpacked, and each read once from its start to its end."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, BinaryIO, Callable, Iterator, Sequence

from exabgp_intern.report.fields import Damaged
from exabgp_intern.report.workload import Problem

__all__ = ('STANDARD_INPUT', 'files', 'opened', 'read')

STANDARD_INPUT = '-'
HEAD = 16  # octets that tell what a file is
CHUNK = 1 << 20  # octets: a length in a damaged file may be more than there is memory for


def files(paths: Sequence[str]) -> list[str]:
    """Return `paths` with the files in the place of each directory, by name.  Raises Problem if one is not there."""
    found = []
    for path in paths:
        try:
            if path == STANDARD_INPUT or not os.path.isdir(path):
                found.append(path)
            else:
                entries = [entry for entry in os.scandir(path) if entry.is_file() and not entry.name.startswith('.')]
                found += sorted(entry.path for entry in entries)
            if path != STANDARD_INPUT:
                os.stat(path)
        except OSError as problem:
            raise Problem(f'{path}: {problem.strerror}') from problem
    if not found:
        raise Problem(f'{", ".join(paths)}: no file in here')
    return found


@contextmanager
def opened(path: str) -> Iterator[tuple[bytes, BinaryIO]]:
    """Yield how the file starts once it is unpacked, and a stream of all of it.

    Raises Problem if it cannot be opened or unpacked at all.
    """
    try:
        # standard input is not closed
        with open(0 if path == STANDARD_INPUT else path, 'rb', closefd=path != STANDARD_INPUT) as file:
            unpacked = _Unpacked(file)
            for magic, unpacker in UNPACKERS.items():
                if unpacked.head.startswith(magic):
                    unpacked = _Unpacked(unpacker(io.BufferedReader(unpacked)))
                    break
            yield unpacked.head, io.BufferedReader(unpacked)
    except OSError as problem:
        raise Problem(f'{path}: {problem.strerror or problem}') from problem
    except ImportError as problem:
        raise Problem(f'{path}: {problem}') from problem


def read(stream: BinaryIO, length: int, where: str) -> bytes:
    """Return the next `length` octets, fewer at the end.  Raises Damaged for what cannot be unpacked."""
    data = b''
    try:
        while len(data) < length:
            more = stream.read(min(CHUNK, length - len(data)))
            if not more:
                break
            data += more
    except EOFError as problem:
        raise Damaged(f'{where}: truncated, {problem}') from problem
    except OSError as problem:
        raise Damaged(f'{where}: {problem}') from problem
    return data


class _Unpacked(io.RawIOBase):
    """All of `file`, which cannot go back, and its `head`.  What any unpacker raises is an OSError, or an EOFError."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._failure: Exception | None = None
        self.head = b''  # what was read ahead
        with suppress(EOFError, OSError):  # it is raised again where it is read
            while len(self.head) < HEAD:
                more = self._more(HEAD - len(self.head))
                if not more:
                    break
                self.head += more

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data, self.head = self.head[: len(buffer)], self.head[len(buffer) :]
        data = data or self._more(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _more(self, most: int) -> bytes:
        if not self._failure:
            try:
                return self._file.read1(most)
            except (EOFError, OSError) as problem:
                self._failure = problem
            except Exception as problem:  # each library has an error of its own
                self._failure = OSError(str(problem))
        raise self._failure


def _zstd(stream: BinaryIO) -> Any:
    """Return what unpacks zstd.  Raises ImportError, with what to install, if no library for it is there."""
    for name in ('compression.zstd', 'backports.zstd'):
        with suppress(ImportError):
            return import_module(name).ZstdFile(stream)
    with suppress(ImportError):
        return import_module('zstandard').ZstdDecompressor().stream_reader(stream, read_across_frames=True)
    raise ImportError('compressed by zstd, which needs Python 3.14 or `pip install zstandard`')


# by how a packed file starts
UNPACKERS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b'\x1f\x8b': lambda stream: gzip.GzipFile(fileobj=stream),
    b'BZh': bz2.BZ2File,
    b'\xfd7zXZ\0': lzma.LZMAFile,
    b'\x28\xb5\x2f\xfd': _zstd,
}
