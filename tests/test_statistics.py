"""stats(): what it counts is what there is."""

from __future__ import annotations

import threading
import tracemalloc
from struct import pack
from typing import Any

import pytest

from exabgp_intern import stats
from tests.support import EACH_VALUE, NAMES, NO_HOOKS, OURS, STOCK, VALUES, call, from_parts


@pytest.mark.parametrize('name', NAMES)
def test_it_counts_objects_and_what_refers_to_them(name: str) -> None:
    if NO_HOOKS and name in ('PathInfo', 'Labels'):
        pytest.skip('routes that this ExaBGP has copied hold one of these values')
    before = stats()[name]
    kept = [call(arguments)(OURS[name]) for arguments in VALUES[name]] * 5
    now = stats()[name]
    assert now.alive == before.alive + len(VALUES[name])
    assert now.references == before.references + len(kept)
    assert now.made == before.made + len(VALUES[name])
    assert now.freed == before.freed
    del kept
    after = stats()[name]
    assert (after.alive, after.references) == (before.alive, before.references)
    assert after.freed == before.freed + len(VALUES[name])
    assert after.made == now.made


@pytest.mark.parametrize(
    ('name', 'arguments'), [each for each in EACH_VALUE if each[1] not in (((), {}), ((b'',), {}), (([],), {}))]
)
@pytest.mark.parametrize('sharing', [1, 50])
@from_parts  # the NLRIs of ExaBGP 6 hold no object that could be saved
def test_the_bytes_saved_are_those_that_tracemalloc_sees(name: str, arguments: Any, sharing: int) -> None:
    def distinct(cls: Any, number: int) -> Any:
        (positional, keyword) = arguments
        value = {
            'RouteDistinguisher': lambda: ((b'%08d' % number,), {}),
            'ESI': lambda: ((b'%010d' % number,), {}),
            'EthernetTag': lambda: ((5000 + number,), {}),
            'PathInfo': lambda: ((b'%04d' % number,), {}),
            'MAC': lambda: ((None, b'%06d' % number), {}),
            'NextHop': lambda: next_hop(*positional, number=number),
            'Labels': lambda: (
                ([5000 + number, *positional[0][1:]], *positional[1:]),
                {**keyword, **({'raw_labels': [80000 + 16 * number]} if 'raw_labels' in keyword else {})},
            ),
        }[name]()
        return cls(*value[0], **value[1])

    def next_hop(text: str, packed: Any = None, number: int = 0) -> Any:
        text = f'10.{number >> 8}.{number & 255}.1' if '.' in text else f'{text[:-1]}{number + 4096:x}'
        return (text, *([packed[:-2] + pack('!H', number + 4096)] if packed else [])), {}

    def cost(cls: Any) -> int:
        tracemalloc.start()
        kept = [distinct(cls, number % (10_000 // sharing)) for number in range(10_000)]
        traced = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        if cls is OURS[name]:
            saved.append(stats()[name].bytes_saved)
        del kept
        return traced

    saved: list[int] = []
    for cls in (STOCK[name], OURS[name]):  # what the first run alone allocates; and free lists hold 2,000 tuples
        kept = [distinct(cls, number) for number in range(10_000)]
    del kept
    saved.clear()
    real = cost(STOCK[name]) - cost(OURS[name])
    assert abs(saved[0] - real) <= 0.3 * max(real, 10_000 * 250)


def test_it_can_be_read_while_routes_are_decoded() -> None:
    stop = threading.Event()
    failures = []

    def churn() -> None:
        number = 0
        while not stop.is_set():
            kept = [OURS['RouteDistinguisher'](b'%08d' % (number + each)) for each in range(200)]
            number += len(kept) // 2

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(200):
            now = stats()['RouteDistinguisher']
            if not 0 <= now.alive <= now.made or now.freed < 0:
                failures.append(now)
    finally:
        stop.set()
        thread.join()
    assert not failures
