"""Values that are equal, or pack to the same bytes, and are not the same: they never become one object."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pytest

from exabgp_intern.lines import attributes
from tests.support import FROM_WIRE, OURS, STOCK, call, observed, typed


class Tag(IntEnum):
    ONE = 1


def a(*positional: Any, **keyword: Any) -> Any:
    return positional, keyword


class Text(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return 'text'


DIFFERENT: Any = {
    'Labels': [
        (a([100]), a([100], bos=False)),
        (a([100]), a([], raw_labels=[1601])),
        (a([0], bos=False), a([], raw_labels=[0])),
        (a([2**20 + 100]), a([100])),
        (a([True]), a([1])),
        (a((100,)), a([100])),
        (a([100]), a([100, 100])),
        (a([7], raw_labels=[1601]), a([100], raw_labels=[1601])),
        (a([], raw_labels=[2**24 + 1601]), a([], raw_labels=[1601])),
        (a([], raw_labels=[True]), a([], raw_labels=[1])),
    ],
    'EthernetTag': [(a(1), a(True)), (a(1), a(1.0)), (a(1), a(Tag.ONE)), (a(0), a(False)), (a(0), a(-0.0))],
    'MAC': [
        (a('aa:bb:cc:dd:ee:ff'), a('AA:BB:CC:DD:EE:FF')),
        (a('00:00:00:00:00:01'), a(None, bytes(5) + b'\1')),
    ],
    'PathInfo': [(a(), a(bytes(4))), (a(), a(b'', 5)), (a(integer=0), a(bytes(4))), (a(integer=1), a(b'\1'))],
    'RouteDistinguisher': [(a(b''), a(bytes(8))), (a(bytes(8)), a('\0' * 8))],
    'ESI': [(a(), a(bytes(9) + b'\1')), (a(b'0123456789'), a('0123456789'))],
    'NextHop': [
        (a('2001:db8::1'), a('2001:0db8:0::1')),
        (a('2001:db8::1'), a('2001:DB8::1')),
        (a('::ffff:192.0.2.1'), a('192.0.2.1')),
        (a('192.0.2.1'), a('192.0.2.1', b'\xc0\0\2\2')),
        (a('192.0.2.1'), a('192.0.2.2', b'\xc0\0\2\1')),
        (a('192.0.2.1', b''), a('192.0.2.1')),
        (a('192.0.2.1', ''), a('192.0.2.1', b'')),
        (a('192.0.2.1', bytes(16)), a('::', bytes(16))),
        (a(Text('192.0.2.1')), a('192.0.2.1')),
        (a(['.'], b''), a('.', b'')),
    ],
}

SAME: Any = {
    'PathInfo': [
        (a(integer=1), a(ip='0.0.0.1')),
        (a(integer=1), a(b'\0\0\0\1')),
        (a(b''), a(integer=0)),
        (a(None), a(b'')),
        (a(integer=2**32 + 1), a(integer=1)),
        (a(integer=True), a(integer=1)),
    ],
    'Labels': [
        (a([], raw_labels=[1601]), a([100], raw_labels=[1601])),
        (a(None, raw_labels=[1601]), a([100], False, [1601])),
        (a([100]), a([100], True, None)),
        (a([100]), a([100], 1, [])),
        (a([]), a([], bos=False)),
    ],
    'ESI': [(a(None), a(bytes(10))), (a(None), a(esi=bytes(10)))],
    'EthernetTag': [(a(tag=0), a(0)), (a(tag=7), a(7))],
    'MAC': [(a('aa:bb:cc:dd:ee:ff'), a('aa:bb:cc:dd:ee:ff', None))],
    'RouteDistinguisher': [(a(bytes(8)), a(rd=bytes(8)))],
    'NextHop': [
        (a('192.0.2.1'), a('192.0.2.1', b'\xc0\0\2\1')),
        (a('2001:db8::1'), a(string='2001:db8::1', packed=b'\x20\1\x0d\xb8' + bytes(11) + b'\1')),
        (a('2001:0db8:0::1'), a('2001:0db8:0::1', b'\x20\1\x0d\xb8' + bytes(11) + b'\1')),
        (a('192.0.2.1', None), a('192.0.2.1')),
    ],
}


if FROM_WIRE:
    DIFFERENT = {
        'RouteDistinguisher': [(a(b''), a(bytes(8))), (a(bytes(8)), a('\0' * 8)), (a(bytes(8)), a([0] * 8))],
        'Labels': [(a(b'\0\x06\x41'), a(b'\0\x06\x40')), (a(b'\0\x06\x41'), a([0, 6, 65])), (a(b''), a(''))],
        'PathInfo': [(a(b''), a(bytes(4))), (a(b''), a(None)), (a(b'1234'), a('1234'))],
        'ESI': [(a(bytes(10)), a(bytes(9) + b'\1')), (a(b'0123456789'), a('0123456789'))],
        'EthernetTag': [(a(b'1234'), a('1234'))],
        'MAC': [(a('aa:bb:cc:dd:ee:ff'), a('AA:BB:CC:DD:EE:FF')), (a('1:2'), a('', b'\1\2'))],
    }
    SAME = {
        name: [(a(octets), a(packed=octets))]
        for name, octets in (('RouteDistinguisher', bytes(8)), ('Labels', bytes(3)), ('ESI', bytes(10)))
    }


def each(pairs: Any) -> Any:
    return pytest.mark.parametrize(
        ('name', 'one', 'other'), [(name, *pair) for name, several in pairs.items() for pair in several]
    )


def of(name: str, arguments: Any) -> Any:
    return {attribute: typed(value) for attribute, value in attributes(call(arguments)(STOCK[name])).items()}


@each(DIFFERENT)
def test_never_merged(name: str, one: Any, other: Any) -> None:
    assert of(name, one) != of(name, other)  # ExaBGP's own can be told apart
    for first, second in ((one, other), (other, one)):
        made = [call(first)(OURS[name]), call(second)(OURS[name])]
        assert made[0] is not made[1]
        assert [observed(it) for it in made] == [observed(call(how)(STOCK[name])) for how in (first, second)]


@each(SAME)
def test_always_one(name: str, one: Any, other: Any) -> None:
    assert of(name, one) == of(name, other)
    assert call(one)(OURS[name]) is call(other)(OURS[name])


def test_equal_is_what_exabgp_says() -> None:
    for name, several in DIFFERENT.items():
        for pair in several:
            ours, stock = [call(how)(OURS[name]) for how in pair], [call(how)(STOCK[name]) for how in pair]
            assert (ours[0] == ours[1]) == (stock[0] == stock[1]) == (ours[0] == stock[1]) == (stock[0] == ours[1])
