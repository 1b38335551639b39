"""Mutated UPDATEs through ExaBGP's own decoder and the one that shares, on two sessions in turn."""

from __future__ import annotations

import gc
from collections import deque
from random import Random
from typing import Any, Callable, Iterator

import pytest

from exabgp_intern.attribute import received as attributes
from exabgp_intern.attribute.received import Received
from tests.attribute_sets import SETS, SHAPES, TRAPS, decoded, seen, session, shown, stock
from tests.test_attributes import CHANGES

ROUNDS = 500


@pytest.fixture(autouse=True)
def shared() -> Iterator[None]:
    attributes.HOOKS.install()
    yield
    attributes.HOOKS.uninstall()


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


@pytest.mark.parametrize('seed', range(3))
def test_mutated_updates_come_out_as_from_exabgp(seed: int) -> None:
    random = Random(seed)
    ours, theirs = ([session(True, True), session(False)] for _ in range(2))
    bodies = [shape(shared) for shared in SETS.values() for shape in (*SHAPES.values(), *TRAPS.values())]
    random.shuffle(bodies)
    kept: deque[Any] = deque(maxlen=200)
    hits = 0
    for body in bodies[:ROUNDS]:
        for each in (body, mutated(random, body), mutated(random, body)):
            for mine, own in zip(ours, theirs):
                before = sum(entry.hits for entry in Received._refs.values())
                assert seen(decoded, each, mine, kept=kept) == seen(stock, each, own), each.hex()
                hits += sum(entry.hits for entry in Received._refs.values()) > before
        for made in [made for made in list(kept)[-6:] if type(made) is Received]:
            text = shown(made)
            for change in CHANGES.values():
                try:
                    change(made)
                except Exception:  # there may be none of what it would change
                    continue
            assert shown(made) == text
    assert hits > ROUNDS // 10
    kept.clear()
    del made, mine  # a session keeps the set of the UPDATE before
    ours.clear()
    gc.collect()
    assert not Received._refs
