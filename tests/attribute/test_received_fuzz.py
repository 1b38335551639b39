"""Mutated UPDATEs through ExaBGP's own decoder and the one that shares, on two sessions in turn."""

from __future__ import annotations

import gc
from collections import deque
from random import Random
from typing import Any, Iterator

import pytest

from exabgp_intern.attribute import parts
from exabgp_intern.attribute import received as attributes
from exabgp_intern.attribute.received import Received
from tests.attribute.attribute_sets import decoded, seen, session, shown, stock
from tests.attribute.test_received import CHANGES
from tests.update_octets import (
    SETS,
    SHAPES,
    TRAPS,
    mutated,
)

ROUNDS = 500


@pytest.fixture(autouse=True)
def shared() -> Iterator[None]:
    attributes.HOOKS.install()
    parts.HOOKS.install()
    yield
    parts.HOOKS.uninstall()
    attributes.HOOKS.uninstall()


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
    assert hits > ROUNDS // 20  # ExaBGP keeps the set of the UPDATE before itself
    kept.clear()
    del made, mine  # a session keeps the set of the UPDATE before
    ours.clear()
    gc.collect()
    assert not Received._refs
