"""Random and mutated UPDATE messages through ExaBGP's decoder: with interning exactly as without."""

from __future__ import annotations

import gc
import random
from typing import Any, Iterator

import pytest

import exabgp_intern
from exabgp_intern import lines
from tests import GOBGP
from tests.support import NAMES, OURS

CORPUS = GOBGP.read_bytes()
ROUNDS = 5000


def bodies(stream: bytes) -> Iterator[bytes]:
    while stream:
        length = int.from_bytes(stream[16:18], 'big')
        yield stream[19:length]
        stream = stream[length:]


def framed(attributes: bytes, announced: bytes = b'') -> bytes:
    return b'\0\0' + len(attributes).to_bytes(2, 'big') + attributes + announced


def mutated(body: bytes, dice: random.Random) -> bytes:
    """Return `body` with a few octets changed, and at times removed, doubled or made up."""
    octets = bytearray(body)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(octets)) if octets else 0
        kind = dice.randrange(20)
        if kind == 0:
            del octets[at : at + dice.randint(1, 4)]
        elif kind == 1:
            octets[at:at] = octets[at : at + dice.randint(1, 12)]
        elif kind == 2:
            octets[at:at] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 4)))
        elif octets:
            octets[at] = dice.choice((dice.randrange(256), octets[at] ^ 1 << dice.randrange(8)))
    return bytes(octets)


def mutated_update(body: bytes, dice: random.Random) -> bytes:
    """Return an UPDATE that withdraws nothing with a change anywhere, or only inside of its attributes."""
    if dice.randrange(4) == 0:
        return mutated(body, dice)
    end = 4 + int.from_bytes(body[2:4], 'big')
    return framed(mutated(body[4:end], dice), mutated(body[end:], dice) if dice.randrange(4) == 0 else body[end:])


def printed(body: bytes, session: Any) -> Any:
    """Return all that comes of decoding `body`: what every route prints and packs to, or the exception."""
    from exabgp.bgp.message.direction import Direction
    from exabgp.bgp.message.notification import Notify
    from exabgp.bgp.message.update import Update

    session.cached_attributes, session.cached_wire = None, b''
    try:
        update = Update.unpack_message(body, Direction.IN, session)
        if not isinstance(update, Update):
            return type(update), str(update)
        routes = [(nlri.action, nlri.json(), str(nlri), nlri.index(), nlri.pack()) for nlri in update.nlris]
        return routes, update.attributes.json(), str(update.attributes)
    except Notify as notify:
        return notify.code, notify.subcode, notify.data
    except Exception as raised:
        return type(raised), str(raised)


@pytest.fixture(scope='module')
def session() -> Any:
    """A session as the corpus was recorded on: 4-byte AS numbers, ADD-PATH for IPv4 unicast."""
    from exabgp.bgp.message.update.nlri import NLRI
    from exabgp.bgp.neighbor import Neighbor
    from exabgp.protocol.family import AFI, SAFI

    from exabgp_intern.report.loading import negotiated_session

    return negotiated_session(Neighbor(), NLRI.known_families(), [(AFI.ipv4, SAFI.unicast)], True)


def both(messages: list[bytes], session: Any) -> list[bool]:
    """Decode without and with interning, and compare.  Returns for each message whether it brought routes."""
    stock = [printed(body, session) for body in messages]
    exabgp_intern.install(lines.classes())
    try:
        for body, expected in zip(messages, stock):
            assert printed(body, session) == expected, body.hex()
    finally:
        exabgp_intern.uninstall()
    session.cached_attributes = None
    gc.collect()
    return [isinstance(each[0], list) and bool(each[0]) for each in stock]


def test_the_corpus_decodes_as_without(session: Any) -> None:
    before = {name: len(OURS[name]._table.data) for name in NAMES}
    both(list(bodies(CORPUS)), session)
    assert {name: len(OURS[name]._table.data) for name in NAMES} == before


@pytest.mark.parametrize('seed', range(4))
def test_mutated_messages_decode_as_without(seed: int, session: Any) -> None:
    dice = random.Random(seed)
    whole = list(bodies(CORPUS))
    before = {name: len(OURS[name]._table.data) for name in NAMES}
    outcomes = both([mutated_update(dice.choice(whole), dice) for _ in range(ROUNDS)], session)
    # or else this test would see nothing: a good part still brings routes, and a good part is refused
    assert min(outcomes.count(True), outcomes.count(False)) > ROUNDS / 5
    assert {name: len(OURS[name]._table.data) for name in NAMES} == before


def test_random_octets_decode_as_without(session: Any) -> None:
    dice = random.Random(4)

    def octets(most: int) -> bytes:
        return bytes(dice.randrange(256) for _ in range(dice.randrange(most)))

    both([framed(octets(80), octets(20)) for _ in range(ROUNDS)] + [octets(80) for _ in range(ROUNDS)], session)
    # made up route by route, behind attributes that are right
    origin_path_hop = bytes.fromhex('400101004002004003040a000001')
    both([framed(origin_path_hop, octets(40)) for _ in range(ROUNDS)], session)


@pytest.mark.parametrize(
    'family', sorted({(1, 1), (1, 4), (1, 128), (2, 128), (25, 70), (25, 65), (1, 134), (1, 85), (1, 5)})
)
def test_mutated_routes_decode_as_without(family: tuple[int, int]) -> None:
    from tests.qualifier.test_nlri import WIRE

    def decoded(data: bytes) -> Any:
        try:
            nlri, left = lines.decode(family, data, False)
            return left, nlri and (nlri.json(), str(nlri), nlri.index(), nlri.pack())
        except Exception as raised:
            return type(raised), str(raised)

    dice = random.Random(5)
    seeds = [wire for of, wire, addpath, _ in WIRE.values() if of == family and not addpath] or [b'\x18\x0a\0\0']
    data = [mutated(dice.choice(seeds), dice) for _ in range(1000)]
    stock = [decoded(each) for each in data]
    exabgp_intern.install(lines.classes())
    try:
        assert [decoded(each) for each in data] == stock
    finally:
        exabgp_intern.uninstall()
