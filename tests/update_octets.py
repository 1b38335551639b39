"""The octets of UPDATEs with every kind of attribute, good and bad ones."""

from __future__ import annotations

from random import Random
from struct import pack
from typing import Callable, Iterator

from exabgp_intern.report.sources import received
from exabgp_intern.report.synthetic import synthetic
from tests import GOBGP


def attribute(flags: int, code: int, value: bytes) -> bytes:
    """Return one attribute, with an extended length if its flags say so."""
    return pack('!BBH' if flags & 0x10 else '!BBB', flags, code, len(value)) + value


def update(attributes: bytes, announced: bytes = b'', withdrawn: bytes = b'') -> bytes:
    """Return the body of an UPDATE."""
    return pack('!H', len(withdrawn)) + withdrawn + pack('!H', len(attributes)) + attributes + announced


ORIGIN = attribute(0x40, 1, b'\0')
NEXT_HOP = attribute(0x40, 3, bytes([192, 0, 2, 1]))
LOCAL_PREFERENCE = attribute(0x40, 5, pack('!L', 100))
# four octets an AS: 65538 33619971; two octets an AS: 1 2, and then 3
EITHER_PATH = attribute(0x40, 2, b'\2\2' + pack('!LL', 0x00010002, 0x02010003))
# ExaBGP's own example: 65538, or an error
PATH_OR_ERROR = attribute(0x40, 2, b'\2\1' + pack('!L', 65538))
AIGP = attribute(0x80, 26, b'\1\0\x0b' + pack('!Q', 77))

VPN = bytes([24 + 64 + 24]) + (1000 << 4 | 1).to_bytes(3, 'big') + pack('!HHL', 0, 65000, 1) + bytes([10, 1, 2])
REACH = attribute(0x80, 14, pack('!HBB', 1, 128, 12) + bytes(8) + bytes([192, 0, 2, 9]) + b'\0' + VPN)
UNREACH = attribute(0x80, 15, pack('!HB', 1, 128) + VPN)
REACH6 = attribute(
    0x90, 14, pack('!HBB', 2, 1, 32) + b'\x20\1\x0d\xb8' + bytes(11) + b'\1\xfe\x80' + bytes(13) + b'\1\0' + b'\x20abcd'
)
PREFIX = bytes([24, 10, 1, 2])
# a route of a class that has no next hop of its own: of MVPN, a source
UNREACH_SOURCE = attribute(0x80, 15, pack('!HB', 1, 5) + b'\5\x12' + VPN[4:12] + b'\x20\x0a\0\0\1\x20\xe1\0\0\1')

# of each kind one at least, as it stands beside an origin and a local preference
KINDS = {
    'nothing': b'',
    'empty path': attribute(0x40, 2, b''),
    'path for either': EITHER_PATH,
    'path or error': PATH_OR_ERROR,
    'path of two octets': attribute(0x40, 2, b'\2\2' + pack('!HH', 64512, 23456)),
    'path with a set and a confederation': attribute(0x40, 2, b'\3\1' + pack('!L', 1) + b'\1\2' + pack('!LL', 9, 8)),
    'path of four octets beside': attribute(0x40, 2, b'\2\2' + pack('!HH', 64512, 23456))
    + attribute(0xC0, 17, b'\2\1' + pack('!L', 70000)),
    'discarded confederation': attribute(0x40, 2, b'\2\1' + pack('!H', 23456))
    + attribute(0xC0, 17, b'\3\1' + pack('!L', 7) + b'\2\1' + pack('!L', 70000)),
    'metric': attribute(0x80, 4, pack('!L', 5)),
    'two metrics': attribute(0x80, 4, pack('!L', 5)) + attribute(0x80, 4, pack('!L', 6)),
    'atomic aggregate': attribute(0x40, 6, b''),
    'aggregator of two octets': attribute(0xC0, 7, pack('!HL', 64512, 1)),
    'aggregator of four octets': attribute(0xC0, 7, pack('!LL', 70000, 1)),
    'aggregator beside': attribute(0xC0, 7, pack('!HL', 23456, 1)) + attribute(0xC0, 18, pack('!LL', 70000, 1)),
    'needless aggregator beside': attribute(0xC0, 7, pack('!HL', 64512, 1)) + attribute(0xC0, 18, pack('!LL', 9, 1)),
    'communities': attribute(0xC0, 8, pack('!LLL', 0xFFFFFF01, 65000 << 16 | 9, 1)),
    'communities, partial': attribute(0xE0, 8, pack('!L', 7)),
    'communities, unused flags': attribute(0xCF, 8, pack('!L', 7)),
    'extended length': attribute(0xD0, 8, pack('!L', 7) * 80),
    'large communities': attribute(0xC0, 32, pack('!LLLLLL', 1, 2, 3, 1, 2, 3)),
    'extended communities': attribute(
        0xC0,
        16,
        b'\0\2'
        + pack('!HL', 65000, 1)  # a route target
        + b'\3\x0c'
        + pack('!LH', 0, 8)  # an encapsulation
        + b'\x40\4'
        + pack('!Hf', 65000, 1e6)  # a bandwidth
        + b'\x80\6'
        + pack('!Hf', 65000, 9e6)  # a flowspec rate
        + b'\x80\x08'
        + pack('!HL', 65000, 2)  # a redirect
        + b'\x43\x99abcdef',
    ),
    'two lots of extended communities': attribute(0xC0, 16, b'\0\2' + pack('!HL', 65000, 1))
    + attribute(0xC0, 16, b'\0\2' + pack('!HL', 65000, 2)),
    'extended communities with IPv6': attribute(0xC0, 25, b'\0\2' + bytes(range(16)) + b'\0\1'),
    'originator and clusters': attribute(0x80, 9, bytes([10, 0, 0, 1])) + attribute(0x80, 10, bytes(range(8))),
    'AIGP': AIGP,
    'two TLVs of AIGP': attribute(0x80, 26, b'\2\0\4x' + b'\1\0\x0b' + pack('!Q', 77)),
    'PMSI': attribute(0xC0, 22, b'\0\6' + (99 << 4).to_bytes(3, 'big') + bytes([10, 0, 0, 1])),
    'PMSI of another kind': attribute(0xC0, 22, b'\0\x63' + bytes(3) + b'xyz'),
    'tunnel encapsulation': attribute(0xC0, 23, pack('!HH', 8, 4) + b'abcd'),
    'link state': attribute(0x80, 29, pack('!HH', 1026, 3) + b'one' + pack('!HH', 1095, 3) + b'\0\0\7'),
    'link state of another kind': attribute(0x80, 29, pack('!HH', 9, 1) + b'x' + pack('!HH', 9, 1) + b'y'),
    'prefix SID': attribute(0xC0, 40, b'\1\0\7' + bytes(3) + pack('!L', 100)),
    'prefix SID of another kind': attribute(0xC0, 40, b'\1\0\7' + bytes(3) + pack('!L', 100) + b'\x63\0\1x'),
    'SRv6 prefix SID': attribute(0xC0, 40, b'\5\0\x19\0\1\0\x15\0' + bytes(range(16)) + b'\0\0\x13\0'),
    'attribute set': attribute(0xC0, 128, pack('!L', 65000) + ORIGIN + EITHER_PATH),
    'unknown and transitive': attribute(0xC0, 99, b'abc'),
    'unknown and not transitive': attribute(0x80, 99, b'abc'),
    'empty and unknown': attribute(0xC0, 99, b''),
    # from here on with an error
    'wrong flags': attribute(0xC0, 5, pack('!L', 100)),
    'wrong flags of an optional one': attribute(0x40, 8, pack('!L', 100)),
    'metric too short': attribute(0x80, 4, b'abc'),
    'metric without a value': attribute(0x80, 4, b''),
    'community cut': attribute(0xC0, 8, b'abcde'),
    'extended community cut': attribute(0xC0, 16, b'abcde'),
    'aggregator cut': attribute(0xC0, 7, b'abc'),
    'full atomic aggregate': attribute(0x40, 6, b'x'),
    'prefix SID without a TLV': attribute(0xC0, 40, b''),
    'link state cut': attribute(0x80, 29, b'\0\1\0\xff'),
    'clusters cut': attribute(0x80, 10, b'abc'),
    'originator cut': attribute(0x80, 9, b'abc'),
    'AIGP cut': attribute(0x80, 26, b'\1\0\x0b'),
    'PMSI cut': attribute(0xC0, 22, b'\0'),
    'next hop cut': attribute(0x40, 3, b'abc'),
    'path of an unknown type': attribute(0x40, 2, b'\x09\1' + pack('!L', 1)),
}
SETS = {name: ORIGIN + value + LOCAL_PREFERENCE for name, value in KINDS.items()}
SETS['no attribute at all'] = b''
SETS['all'] = (
    ORIGIN
    + LOCAL_PREFERENCE
    + b''.join(
        KINDS[name]
        for name in (
            *('path for either', 'metric', 'atomic aggregate', 'aggregator of four octets', 'communities'),
            *('large communities', 'extended communities', 'extended communities with IPv6', 'originator and clusters'),
            *(
                'AIGP',
                'PMSI',
                'tunnel encapsulation',
                'link state',
                'prefix SID',
                'attribute set',
                'unknown and transitive',
            ),
        )
    )
)
SETS['a duplicate'] = ORIGIN + ORIGIN + attribute(0x40, 1, b'\2')

SHAPES = {
    'reach behind': lambda shared: update(shared + REACH),
    'reach before': lambda shared: update(REACH + shared),
    'reach within': lambda shared: update(shared[:4] + REACH + shared[4:]),
    'reach IPv6': lambda shared: update(shared + REACH6),
    'unreach': lambda shared: update(shared + UNREACH),
    'both': lambda shared: update(UNREACH + shared + REACH),
    'classic': lambda shared: update(shared + NEXT_HOP, PREFIX + b'\x08\x0b'),
    'classic with a community like a route': lambda shared: update(
        shared + NEXT_HOP + attribute(0xC0, 8, PREFIX), PREFIX
    ),
    'classic without a next hop': lambda shared: update(shared, PREFIX),
    'classic and reach': lambda shared: update(NEXT_HOP + shared + REACH, PREFIX),
    'classic and unreach of no next hop': lambda shared: update(shared + NEXT_HOP + UNREACH_SOURCE, PREFIX),
    'two next hops': lambda shared: update(NEXT_HOP + attribute(0x40, 3, b'abcd') + shared, PREFIX),
    'next hop for nobody': lambda shared: update(shared + NEXT_HOP + REACH),
    'withdrawn': lambda shared: update(shared, withdrawn=PREFIX),
    'all fields': lambda shared: update(shared + NEXT_HOP + REACH + UNREACH, PREFIX, b'\x08\x0c'),
    'no routes': lambda shared: update(shared),
    'end of RIB': lambda shared: update(shared + attribute(0x80, 15, pack('!HB', 1, 128))),
}
# Errors in and behind the MP attributes, and in the lengths: what a set must not be found for.
TRAPS = {
    'empty unreach beside a good reach': lambda shared: update(shared + REACH + attribute(0x80, 15, b'')),
    'empty unreach before': lambda shared: update(attribute(0x80, 15, b'') + shared + REACH),
    'empty reach': lambda shared: update(shared + attribute(0x80, 14, b'')),
    'empty reach and a route': lambda shared: update(shared + NEXT_HOP + attribute(0x80, 14, b''), PREFIX),
    'reach past the end': lambda shared: update(shared + REACH[:2] + bytes([REACH[2] + 1]) + REACH[3:]),
    'reach into the routes': lambda shared: update(shared + NEXT_HOP + REACH[:-1], PREFIX),
    'reach cut': lambda shared: update(shared + REACH[:-1]),
    'reach with a routeless end': lambda shared: update(shared + attribute(0x80, 14, REACH[3:-15])),
    'reach of no family': lambda shared: update(shared + attribute(0x80, 14, pack('!HBB', 7, 7, 4) + bytes(9))),
    'reach with wrong flags': lambda shared: update(shared + b'\x40' + REACH[1:]),
    'reach with wrong flags and a route': lambda shared: update(shared + NEXT_HOP + b'\xc0' + REACH[1:], PREFIX),
    'two reach': lambda shared: update(shared + REACH + REACH),
    'two unreach': lambda shared: update(UNREACH + shared + UNREACH),
    'one octet behind': lambda shared: update(shared + REACH + b'\x40'),
    'two octets behind': lambda shared: update(shared + REACH + b'\x40\1'),
    'three octets behind': lambda shared: update(shared + REACH + b'\x40\1\1'),
    'a zero behind': lambda shared: update(shared + REACH + b'\0'),
    'an attribute past the end': lambda shared: update(shared + REACH + b'\xc0\x08\4\0'),
    'an extended length cut': lambda shared: update(shared + REACH + b'\xd0\x08\0'),
    'one octet too few': lambda shared: update((shared + REACH)[:-1]),
    'an attribute into the routes': lambda shared: update(shared + NEXT_HOP + b'\xc0\x08\4', PREFIX),
    'a length short of the end': lambda shared: b'\0\0' + pack('!H', len(shared) + 3) + shared + REACH,
    'a length past the end': lambda shared: b'\0\0' + pack('!H', len(shared) + 1) + shared,
    'a length past the end of good routes': lambda shared: (
        b'\0\0' + pack('!H', len(shared + REACH) + 1) + shared + REACH
    ),
    'withdrawn past the end': lambda shared: b'\0\xff' + shared,
    'a bad route': lambda shared: update(shared + NEXT_HOP, b'\x40\1'),
    'a bad withdrawn route': lambda shared: update(shared + REACH, withdrawn=b'\x40\1'),
    'nothing': lambda shared: b'',
    'three octets': lambda shared: b'\0\0\0',
}


def corpus(small: bool = False) -> Iterator[bytes]:
    """Yield UPDATEs that are worth sharing and others, each once."""
    if small:
        some = ('metric', 'path for either', 'metric without a value', 'AIGP', 'link state cut', 'no attribute at all')
        yield from (shape(SETS[name]) for name in some for shape in (*SHAPES.values(), *TRAPS.values()))
        return
    bodies = [shape(shared) for shared in SETS.values() for shape in SHAPES.values()]
    bodies += [trap(SETS[name]) for name in ('all', 'metric', 'no attribute at all') for trap in TRAPS.values()]
    bodies += [body for _, body in received(str(GOBGP)).updates[::10]]
    bodies += [
        body for family in ('vpnv4', 'labelled', 'evpn', 'addpath') for _, body in synthetic(family, 60, 2, 9).updates
    ]
    yield from dict.fromkeys(bodies)


def flipped(random: Random, data: bytearray, at: int) -> None:
    data[at] ^= 1 << random.randrange(8)


def replaced(random: Random, data: bytearray, at: int) -> None:
    data[at] = random.choice((0, 1, 2, 3, 4, 14, 15, 16, 0x40, 0x80, 0x90, 0xC0, 0xFF))


def removed(random: Random, data: bytearray, at: int) -> None:
    del data[at]


def added(random: Random, data: bytearray, at: int) -> None:
    data.insert(at, random.randrange(256))


def repeated(random: Random, data: bytearray, at: int) -> None:
    data[at:at] = data[at : at + random.randrange(40)]


def moved(random: Random, data: bytearray, at: int) -> None:
    end = at + random.randrange(40)
    part, data[at:end] = data[at:end], b''
    to = random.randrange(len(data) + 1)
    data[to:to] = part


def cut(random: Random, data: bytearray, at: int) -> None:
    del data[at:]


MUTATIONS: list[Callable[[Random, bytearray, int], None]] = [flipped, replaced, removed, added, repeated, moved, cut]


def mutated(random: Random, body: bytes) -> bytes:
    """Return `body` with up to three mutations; three times in four the lengths of its fields are right again."""
    data = bytearray(body)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        if data:
            random.choice(MUTATIONS)(random, data, random.randrange(len(data)))
    if random.randrange(4) and min(len(data), len(body)) >= 4 and body[:2] == b'\0\0':
        behind = max(len(body) - 4 - (body[2] << 8 | body[3]), 0)
        data[:4] = b'\0\0' + max(len(data) - 4 - behind, 0).to_bytes(2, 'big')
    return bytes(data)
