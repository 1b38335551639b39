"""A table of the Internet that is made up."""

from __future__ import annotations

from itertools import accumulate, zip_longest
from random import Random
from struct import pack
from typing import Iterator, Sequence

from exabgp_intern.report.messages import announcement, attribute
from exabgp_intern.report.workload import Session, Workload

__all__ = ('PEER', 'PREFIXES_AN_UPDATE', 'internet')

PREFIXES_AN_UPDATE = 3.3
MOST = 500  # prefixes of an UPDATE: 4,096 octets have no room for many more
FIRST = 1 << 16  # 1.0.0.0/24: some speakers drop routes to 0.0.0.0/8
PEER = 64_512  # the AS number of the first peer

# How many UPDATEs there are for each AS path, and for each list of communities.  Files of collectors have 2.6 and 14 in
# live UPDATEs of 33 peers, and 1.2 for each AS path where one peer sends a full table.
PATHS, LISTS = 2, 10


def internet(prefixes: int, prefixes_an_update: float = PREFIXES_AN_UPDATE, peers: int = 1) -> Workload:
    """Return the UPDATEs of `peers` that take turns, and each announce the same `prefixes` with AS paths of their own.

    The number of prefixes in an UPDATE is random, `prefixes_an_update` on average.  AS numbers, AS paths and
    communities follow a power law: few come often, and most come once or twice.  Each call returns the same UPDATEs.
    """
    turns = zip_longest(*(_updates(number, prefixes, prefixes_an_update) for number in range(peers)))
    updates = [(Session(peer=pack('!H', peer)), body) for turn in turns for peer, body in enumerate(turn) if body]
    of_peers = f' of {peers} peers' if peers > 1 else ''
    return Workload(f'{prefixes:,} prefixes of the Internet{of_peers}, {prefixes_an_update:g} an UPDATE', updates)


class _PowerLaw:
    """Values that are drawn at random: value number n comes n ** exponent times less often than the first."""

    def __init__(self, values: Sequence[bytes], exponent: float = 1) -> None:
        self._values = values
        self._weights = [*accumulate(number**-exponent for number in range(1, len(values) + 1))]

    def draw(self, random: Random, times: int = 1) -> list[bytes]:
        return random.choices(self._values, cum_weights=self._weights, k=times)


def _updates(peer: int, prefixes: int, prefixes_an_update: float) -> Iterator[bytes]:
    """Yield the bodies of the UPDATEs of one peer."""
    random = Random(peer)
    count = int(prefixes / prefixes_an_update) + 1
    # 13 prefixes an AS, as in the Internet
    ases = _PowerLaw([pack('!L', 1 + number) for number in range(prefixes // 13 + 10)])
    paths = _PowerLaw([_path(peer, ases.draw(random, random.randint(2, 6))) for _ in range(count // PATHS + 1)], 0.5)
    values = _PowerLaw([random.getrandbits(32).to_bytes(4, 'big') for _ in range(5_000)])
    lists = _PowerLaw([b''.join(values.draw(random, random.randint(1, 8))) for _ in range(count // LISTS + 1)], 0.5)
    at = 0
    while at < prefixes:
        end = at + 1
        while end < min(prefixes, at + MOST) and random.random() > 1 / prefixes_an_update:
            end += 1
        optional = [
            (0.4, 0x80, 4, pack('!L', 10 * random.randrange(20))),  # MED
            (0.07, 0x40, 6, b''),  # atomic aggregate
            (0.1, 0xC0, 7, b''.join(ases.draw(random, 2))),  # aggregator: AS number and address
            (0.6, 0xC0, 8, lists.draw(random)[0]),  # communities
            (0.1, 0xC0, 32, b''.join(ases.draw(random, 3))),  # a large community
        ]
        attributes = [
            attribute(0x40, 1, random.choices((b'\0', b'\1', b'\2'), (85, 2, 13))[0]),  # origin
            attribute(0x40, 2, paths.draw(random)[0]),
            attribute(0x40, 3, bytes((192, 0, 2, 1 + peer % 254))),
            *(attribute(flags, code, value) for share, flags, code, value in optional if random.random() < share),
        ]
        nlris = b''.join(pack('!L', 24 << 24 | (FIRST + number) % (1 << 24)) for number in range(at, end))
        yield announcement(b''.join(attributes), nlris)
        at = end


def _path(peer: int, ases: Sequence[bytes]) -> bytes:
    return pack('!BBL', 2, 1 + len(ases), PEER + peer) + b''.join(ases)  # an AS_SEQUENCE
