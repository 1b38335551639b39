"""The least of a BGP speaker: it opens a session, sends the octets it is given, and keeps those that it gets."""

from __future__ import annotations

import socket
import time
from struct import pack
from typing import Any, Iterable

MARKER = b'\xff' * 16
OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = 1, 2, 3, 4, 5
AS = 65000


def message(kind: int, body: bytes = b'') -> bytes:
    """Return a BGP message, RFC 4271 section 4.1."""
    return MARKER + pack('!HB', 19 + len(body), kind) + body


def kinds(octets: bytes) -> list[int]:
    """Return the types of the whole messages in `octets`."""
    found, at = [], 0
    while at + 19 <= len(octets):
        length = int.from_bytes(octets[at + 16 : at + 18], 'big')
        if at + length <= len(octets):
            found.append(octets[at + 18])
        at += length
    return found


def free_port() -> int:
    """Return a port of 127.0.0.1 above 1024 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


def connected(
    port: int, families: Iterable[tuple[int, int]], address: str = '127.0.0.2', seconds: float = 30, asn: int = AS
) -> Speaker:
    """Return a session from `address` with what listens at `port`, or will within so many `seconds`."""
    end = time.monotonic() + seconds
    while True:
        try:
            return Speaker(port, families, address, seconds, asn)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


class Speaker:
    """A session of the AS `asn` with the speaker at `port` of 127.0.0.1, for `families` as (AFI, SAFI), no ADD-PATH.

    Raises TimeoutError if that says nothing for so many `seconds`.
    """

    def __init__(
        self,
        port: int,
        families: Iterable[tuple[int, int]],
        address: str = '127.0.0.2',
        seconds: float = 30,
        asn: int = AS,
    ) -> None:
        capabilities = b''.join(pack('!BBBBHBB', 2, 6, 1, 4, afi, 0, safi) for afi, safi in families)
        capabilities += pack('!BBBBI', 2, 6, 65, 4, asn) + pack('!BBBB', 2, 2, 2, 0)  # route refresh
        self._socket = socket.create_connection(('127.0.0.1', port), seconds, (address, 0))
        router = socket.inet_aton(address)
        self.send(message(OPEN, pack('!BHH4sB', 4, asn, 180, router, len(capabilities)) + capabilities))
        self.heard = bytearray()
        for kind in (OPEN, KEEPALIVE):
            while kind not in kinds(self.heard):
                self._hear()
            if kind == OPEN:
                self.send(message(KEEPALIVE))

    def __enter__(self) -> Speaker:
        return self

    def __exit__(self, *_: Any) -> None:
        self._socket.close()

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def hear_the_end(self) -> bytes:
        """Return all that was heard when the other side has ended the session."""
        while self._hear():
            pass
        return bytes(self.heard)

    def hear_updates(self, number: int) -> bytes:
        """Return all that was heard, with so many UPDATE messages in it.  Raises EOFError if it ends before."""
        while kinds(self.heard).count(UPDATE) < number:
            if not self._hear():
                raise EOFError(f'the session ended: {bytes(self.heard[-100:])!r}')
        return bytes(self.heard)

    def hear_until(self, octets: bytes) -> None:
        """Return when `octets` were heard, and forget what came before.  Raises EOFError if the session ends before."""
        while octets not in self.heard:
            del self.heard[: -len(octets)]
            if not self._hear():
                raise EOFError('the session ended')

    def say_no_more(self) -> None:
        """End our side of the connection."""
        self._socket.shutdown(socket.SHUT_WR)

    def die(self) -> None:
        """End the connection as the kernel does for a process that is killed with octets unread: by a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack('ii', 1, 0))
        self._socket.close()

    def _hear(self) -> bytes:
        octets = self._socket.recv(1 << 16)
        self.heard += octets
        return octets
