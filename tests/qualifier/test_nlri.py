"""Every NLRI of ExaBGP 5.0 that keeps a qualifier keeps the canonical one, and no caller was changed."""

from __future__ import annotations

import copy
import pickle
from struct import pack
from typing import Any, Iterator

import pytest

from exabgp_intern import lines
from exabgp_intern.lines import attributes
from tests.support import NO_HOOKS, SENTINELS, SLOTS, STOCK, is_canonical

RD = pack('!HHL', 0, 65000, 7)
LABEL = pack('!L', 100 << 4 | 1)[1:]
ESI, ETAG, MAC, IPV4 = bytes(range(10)), pack('!L', 50), bytes(range(6)), bytes((10, 0, 0, 1))


def evpn(code: int, body: bytes) -> bytes:
    return bytes((code, len(body))) + body


def mup(code: int, body: bytes) -> bytes:
    return pack('!BHB', 1, code, len(body)) + body


def bgpls(body: bytes) -> bytes:
    return pack('!HH', 1, len(body)) + body


# family, wire bytes, whether ADD-PATH was negotiated, the qualifiers that the NLRI keeps
WIRE: dict[str, tuple[tuple[int, int], bytes, bool, set[str]]] = {
    'INET': ((1, 1), b'\0\0\0\1\x20' + IPV4, True, {'PathInfo'}),
    'INET v6': ((2, 1), b'\0\0\0\1\x10' + bytes(2), True, {'PathInfo'}),
    'Label': ((1, 4), b'\x38' + LABEL + IPV4, False, {'Labels'}),
    'Label with a path': ((1, 4), b'\0\0\0\1\x38' + LABEL + IPV4, True, {'Labels', 'PathInfo'}),
    'IPVPN v4': ((1, 128), b'\x78' + LABEL + RD + IPV4, False, {'RouteDistinguisher', 'Labels'}),
    'IPVPN v6': ((2, 128), b'\x68' + LABEL + RD + bytes(2), False, {'RouteDistinguisher', 'Labels'}),
    'IPVPN with a path': (
        (1, 128),
        b'\0\0\0\1\x78' + LABEL + RD + IPV4,
        True,
        {'RouteDistinguisher', 'Labels', 'PathInfo'},
    ),
    'IPVPN of two labels': (
        (1, 128),
        b'\x90' + pack('!L', 200 << 4)[1:] + LABEL + RD + IPV4,
        False,
        {'RouteDistinguisher', 'Labels'},
    ),
    'EVPN auto-discovery': (
        (25, 70),
        evpn(1, RD + ESI + ETAG + LABEL),
        False,
        {'RouteDistinguisher', 'ESI', 'EthernetTag', 'Labels'},
    ),
    'EVPN MAC/IP': (
        (25, 70),
        evpn(2, RD + ESI + ETAG + b'\x30' + MAC + b'\x20' + IPV4 + LABEL),
        False,
        {'RouteDistinguisher', 'ESI', 'EthernetTag', 'MAC', 'Labels'},
    ),
    'EVPN multicast': ((25, 70), evpn(3, RD + ETAG + b'\x20' + IPV4), False, {'RouteDistinguisher', 'EthernetTag'}),
    'EVPN segment': ((25, 70), evpn(4, RD + ESI + b'\x20' + IPV4), False, {'RouteDistinguisher', 'ESI'}),
    'EVPN prefix': (
        (25, 70),
        evpn(5, RD + ESI + ETAG + b'\x18' + IPV4 + IPV4 + LABEL),
        False,
        {'RouteDistinguisher', 'ESI', 'EthernetTag', 'Labels'},
    ),
    'VPLS': ((25, 65), b'\0\x11' + RD + pack('!HHH', 1, 2, 3) + LABEL, False, {'RouteDistinguisher'}),
    'VPN flowspec': ((1, 134), b'\x10' + RD + b'\1\x18\x0a\0\0' + b'\x03\x81\x06', False, {'RouteDistinguisher'}),
    'MUP interwork segment': ((1, 85), mup(1, RD + b'\x18\x0a\0\0'), False, {'RouteDistinguisher'}),
    'MUP direct segment': ((1, 85), mup(2, RD + IPV4), False, {'RouteDistinguisher'}),
    'MUP type 1': (
        (1, 85),
        mup(3, RD + b'\x20' + IPV4 + pack('!LB', 9, 5) + b'\x20' + IPV4),
        False,
        {'RouteDistinguisher'},
    ),
    'MUP type 2': ((1, 85), mup(4, RD + b'\x40' + IPV4 + pack('!L', 9)), False, {'RouteDistinguisher'}),
    'MVPN source active': ((1, 5), evpn(5, RD + b'\x20' + IPV4 + b'\x20' + IPV4), False, {'RouteDistinguisher'}),
    'MVPN shared join': (
        (1, 5),
        evpn(6, RD + pack('!L', 65000) + b'\x20' + IPV4 + b'\x20' + IPV4),
        False,
        {'RouteDistinguisher'},
    ),
    'MVPN source join': (
        (1, 5),
        evpn(7, RD + pack('!L', 65000) + b'\x20' + IPV4 + b'\x20' + IPV4),
        False,
        {'RouteDistinguisher'},
    ),
    'VPN BGP-LS': (
        (16388, 72),
        bgpls(RD + pack('!BQHHHHLHH', 3, 1, 256, 16, 512, 4, 65000, 515, 4) + IPV4),
        False,
        {'RouteDistinguisher'},
    ),
}

STATIC = """
neighbor 127.0.0.1 {
    router-id 127.0.0.1; local-address 127.0.0.1; local-as 65000; peer-as 65000;
    capability { add-path send/receive; }
    family { ipv4 unicast; ipv4 nlri-mpls; ipv4 mpls-vpn; }
    static {
        route 10.0.0.0/24 path-information 1.2.3.4 next-hop 127.0.0.2;
        route 10.0.1.0/24 label 4242 next-hop 127.0.0.2;
        route 10.0.2.0/24 rd 65000:7 label [ 4242 4243 ] next-hop 127.0.0.2;
    }
}
"""


def decode(wire: tuple[tuple[int, int], bytes, bool, set[str]]) -> Any:
    family, data, addpath, _ = wire
    nlri, left = lines.decode(family, data, addpath)
    assert not left
    return nlri


def configured(text: str) -> list[Any]:
    from exabgp.configuration.configuration import Configuration

    configuration = Configuration([text], text=True)
    assert configuration.reload(), configuration.error
    (neighbor,) = configuration.neighbors.values()
    return [change.nlri for change in neighbor.changes]


def api(command: str) -> list[Any]:
    from exabgp.configuration.configuration import Configuration

    configuration = Configuration([STATIC], text=True)
    assert configuration.reload(), configuration.error
    assert configuration.partial('static', command)
    return [change.nlri for change in configuration.scope.pop_routes()]


def qualifiers(nlri: Any) -> Iterator[tuple[str, Any]]:
    """The qualifiers that `nlri` keeps, sentinels apart."""
    sentinels = [getattr(STOCK[name], sentinel) for name, sentinel in SENTINELS]
    for value in attributes(nlri).values():
        for name, stock in STOCK.items():
            # a copy of a sentinel is a sentinel, where ExaBGP has hooks for that
            if isinstance(value, stock) and not any(
                value is sentinel or NO_HOOKS and value == sentinel
                for sentinel in sentinels
                if isinstance(sentinel, stock)
            ):
                yield name, value


def printed(nlri: Any) -> Any:
    return nlri.json(), str(nlri), nlri.index(), nlri.pack(), len(nlri.pack())


def check(first: Any, second: Any, expected: set[str]) -> None:
    kept, again = dict(qualifiers(first)), dict(qualifiers(second))
    assert kept.keys() == again.keys() == expected
    for name, qualifier in kept.items():
        assert is_canonical(qualifier)
        assert qualifier is again[name]


@pytest.mark.parametrize('kind', [kind for kind in WIRE if not SLOTS or not kind.startswith(('MUP', 'MVPN'))])
def test_a_decoded_route_keeps_the_canonical_qualifiers(kind: str, request: pytest.FixtureRequest) -> None:
    stock = printed(decode(WIRE[kind]))
    copied = printed(copy.deepcopy(decode(WIRE[kind])))  # without such hooks it has another index
    before = decode(WIRE[kind])
    request.getfixturevalue('installed')
    first, second = decode(WIRE[kind]), decode(WIRE[kind])
    check(first, second, WIRE[kind][3])
    check(first, copy.deepcopy(second), WIRE[kind][3])
    assert printed(first) == stock and printed(copy.deepcopy(first)) == copied
    assert printed(before) == stock  # decoded before install(), and still the same route
    if kind != 'VPLS':  # whose == reads an attribute that decoded ones lack, in ExaBGP too
        assert first == before and before == first and first.index() == before.index()
    for protocol in range(2 if SLOTS else 0, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(first, protocol))
        check(first, again, WIRE[kind][3])
        assert again.pack() == first.pack()  # its text differs in ExaBGP too: NoNextHop is pickled as another


@pytest.mark.usefixtures('installed')
def test_configured_routes_keep_the_canonical_qualifiers() -> None:
    expected = [{'PathInfo'}, {'Labels'}, {'RouteDistinguisher', 'Labels'}]
    first, second = configured(STATIC), configured(STATIC)
    assert len(first) == len(expected)
    for one, other, names in zip(first, second, expected):
        check(one, other, names)
        check(one, copy.deepcopy(other), names)


@pytest.mark.usefixtures('installed')
def test_routes_of_the_api_keep_the_canonical_qualifiers() -> None:
    command = 'route 10.0.3.0/24 rd 65000:7 label [ 4242 4243 ] next-hop 127.0.0.2'
    (first,), (second,) = api(command), api(command)
    check(first, second, {'RouteDistinguisher', 'Labels'})
