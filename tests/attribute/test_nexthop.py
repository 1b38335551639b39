"""Routes that are decoded, configured or announced keep the canonical next hop, and print as they did."""

from __future__ import annotations

import copy
import pickle
from struct import pack
from typing import Any, Iterator

import pytest
from exabgp.bgp.message import Update
from exabgp.bgp.message.direction import Direction
from exabgp.bgp.message.update.attribute import Attribute
from exabgp.bgp.message.update.attribute.nexthop import NextHopSelf
from exabgp.bgp.message.update.nlri import NLRI
from exabgp.bgp.neighbor import Neighbor
from exabgp.protocol.family import AFI
from exabgp.protocol.ip import NoNextHop

from exabgp_intern import NextHop, install, uninstall
from exabgp_intern.report.loading import negotiated_session
from tests.attribute.attribute_sets import forget
from tests.qualifier.test_nlri import ESI, ETAG, LABEL, RD, configured, evpn
from tests.support import OURS, STOCK, is_canonical, observed

IPV4 = bytes((192, 0, 2, 1))
GLOBAL = b'\x20\1\x0d\xb8' + bytes(11) + b'\1'
LINK_LOCAL = b'\xfe\x80' + bytes(13) + b'\1'
VPN = b'\x70' + LABEL + RD + b'\x0a\0\0'

# family, next hop field of MP_REACH_NLRI, two routes, the next hops that they get
REACH: dict[str, tuple[tuple[int, int], bytes, bytes, list[str]]] = {
    'IPv4 unicast': ((1, 1), IPV4, b'\x10\x0a\0\x10\x0a\1', ['192.0.2.1'] * 2),
    'IPv6 unicast': ((2, 1), GLOBAL, b'\x10\x20\1\x10\x20\2', ['2001:db8::1'] * 2),
    # ExaBGP decodes the routes again for the second address, and goes on behind that
    'IPv6 unicast with a link-local': (
        (2, 1),
        GLOBAL + LINK_LOCAL,
        b'\x10\x20\1\x10\x20\2',
        ['2001:db8::1', 'fe80::1'] * 2,
    ),
    'VPNv4': ((1, 128), bytes(8) + IPV4, VPN * 2, ['192.0.2.1'] * 2),
    'VPNv6': ((2, 128), bytes(8) + GLOBAL, VPN * 2, ['2001:db8::1'] * 2),
    'EVPN': ((25, 70), IPV4, evpn(1, RD + ESI + ETAG + LABEL) * 2, ['192.0.2.1'] * 2),
    'flow without one': ((1, 133), b'', b'\4\1\x10\x0a\0' * 2, ['no-nexthop'] * 2),
}


def session() -> Any:
    return negotiated_session(Neighbor(), NLRI.known_families(), [], True)


def reach(kind: str) -> bytes:
    """Return the body of an UPDATE with the routes of `kind`."""
    family, hop, nlris, _ = REACH[kind]
    value = pack('!HBB', *family, len(hop)) + hop + b'\0' + nlris
    attributes = b'\x40\1\1\0\x40\2\0' + pack('!BBH', 0x90, 14, len(value)) + value
    return pack('!HH', 0, len(attributes)) + attributes


def classic(hop: bytes = IPV4, more: bytes = b'') -> bytes:
    """Return the body of an UPDATE with two IPv4 routes and the attribute NEXT_HOP."""
    attributes = b'\x40\1\1\0\x40\2\0' + bytes((0x40, 3, len(hop))) + hop + more
    return pack('!HH', 0, len(attributes)) + attributes + b'\x10\x0a\0\x10\x0a\1'


def decode(body: bytes) -> Any:
    forget(None)
    return Update.unpack_message(body, Direction.IN, session())


def hops(update: Any) -> list[Any]:
    return [nlri.nexthop for nlri in update.nlris]


def printed(update: Any) -> Any:
    routes = [(nlri.json(), str(nlri), nlri.index(), nlri.pack(), str(nlri.nexthop)) for nlri in update.nlris]
    sent = [*copy.copy(update).messages(session())]
    return routes, update.attributes.json(), str(update.attributes), sent


@pytest.fixture
def with_next_hops() -> Iterator[None]:
    install(['NextHop'])
    yield
    uninstall()


@pytest.mark.parametrize('kind', REACH)
def test_a_decoded_route_keeps_the_canonical_next_hop(kind: str, request: pytest.FixtureRequest) -> None:
    expected = REACH[kind][3]
    stock = decode(reach(kind))
    before = printed(decode(reach(kind)))
    assert list(map(str, hops(stock))) == expected
    request.getfixturevalue('with_next_hops')
    first, second = decode(reach(kind)), decode(reach(kind))
    assert printed(decode(reach(kind))) == before == printed(stock)
    assert list(map(str, hops(first))) == expected
    for one, other, was in zip(hops(first), hops(second), hops(stock)):
        if was is NoNextHop:
            assert one is other is NoNextHop
        else:
            assert is_canonical(one) and type(was) is STOCK['NextHop'] and one is other
            assert observed(one) == observed(was) and one == was == one
    assert len({*map(id, hops(first))}) == len({*expected})
    for again in (copy.deepcopy(first.nlris), pickle.loads(pickle.dumps(first.nlris))):
        assert all(nlri.nexthop is hop or hop is NoNextHop for nlri, hop in zip(again, hops(first)))


@pytest.mark.parametrize('caching', [False, True])
def test_the_attribute_next_hop_is_canonical_and_not_pinned(caching: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    hop = bytes((198, 51, 100, 7))  # which no other test has
    monkeypatch.setattr(Attribute, 'caching', caching)
    before = {*NextHop._table.data}
    stock = decode(classic(hop))
    install(['NextHop'])
    try:
        assert Attribute.klass(3, 0x40) is STOCK['NextHop']  # what ExaBGP has registered stays so
        first, second = decode(classic(hop)), decode(classic(hop))
        assert {*map(id, hops(first)), *map(id, hops(second))} == {id(first.attributes[3])}
        assert is_canonical(first.attributes[3]) and not is_canonical(stock.attributes[3])
        assert printed(first) == printed(stock)
        assert {*NextHop._table.data} - before == {hop}
        del first, second
        forget(None)
        assert {*NextHop._table.data} <= before
    finally:
        uninstall()
    assert type(decode(classic(hop)).attributes[3]) is STOCK['NextHop']


@pytest.mark.usefixtures('with_next_hops')
@pytest.mark.parametrize('hop', [b'', bytes(3), bytes(5), bytes(16), bytes(32)])
def test_next_hops_of_a_wrong_length_are_what_exabgp_makes_of_them(hop: bytes) -> None:
    def seen() -> Any:
        try:
            update = decode(classic(hop))
            return str(update.attributes), [str(nlri) for nlri in update.nlris]
        except Exception as raised:
            return type(raised), str(raised)

    ours = seen()
    uninstall()
    assert ours == seen()
    install(['NextHop'])
    assert ours == seen()


@pytest.mark.usefixtures('with_next_hops')
def test_an_ipv4_and_an_ipv6_next_hop_of_equal_text_or_octets_stay_apart() -> None:
    mapped = NextHop.unpack(bytes(10) + b'\xff\xff' + IPV4)
    assert (str(mapped), mapped.ipv4(), mapped.afi) == ('::ffff:192.0.2.1', False, AFI.ipv6)
    assert mapped is not NextHop.unpack(IPV4) and mapped != NextHop.unpack(IPV4)
    assert NextHop('192.0.2.1').afi is AFI.ipv4 and NextHop.unpack(GLOBAL).afi is AFI.ipv6


CONFIGURATION = """
neighbor 127.0.0.9 {
    router-id 127.0.0.1; local-address 127.0.0.1; local-as 65000; peer-as 65000;
    family { ipv4 unicast; ipv6 unicast; ipv4 flow; }
    static {
        route 10.0.0.0/24 next-hop 127.0.0.2;
        route 10.0.1.0/24 next-hop 127.0.0.2;
        route 10.0.2.0/24 next-hop self;
        route 2001:db8::/48 next-hop 2001:0db8:0::1;
    }
}
"""


def attributes(text: str) -> list[Any]:
    from exabgp.configuration.configuration import Configuration

    configuration = Configuration([text], text=True)
    assert configuration.reload(), configuration.error
    (neighbor,) = configuration.neighbors.values()
    return [change.attributes.get(3) for change in neighbor.changes]


def test_configured_routes_keep_the_canonical_next_hop() -> None:
    stock = [str(hop) for hop in attributes(CONFIGURATION)]
    install(['NextHop'])
    try:
        first, second, this, six = attributes(CONFIGURATION)
        # `self` is the local address by now, but not before ExaBGP 4.2.22
        assert all(map(is_canonical, (first, this, six) if str(this) != 'self' else (first, six)))
        assert first is second is copy.deepcopy(first) is not this
        assert [str(hop) for hop in (first, second, this, six)] == stock
        assert str(configured(CONFIGURATION)[3]).endswith('next-hop 2001:0db8:0::1')
    finally:
        uninstall()


@pytest.mark.usefixtures('with_next_hops')
def test_what_is_not_a_next_hop_stays_exabgps_own() -> None:
    this = NextHopSelf(AFI.ipv4)
    assert NextHopSelf.__mro__[1] is STOCK['NextHop']
    assert not isinstance(NoNextHop, NextHop) and NextHop.unpack(b'') is NextHop.from_packed(b'') is NoNextHop
    assert copy.deepcopy(NoNextHop) is NoNextHop
    for again in (copy.copy(this), pickle.loads(pickle.dumps(this))):
        assert type(again) is NextHopSelf and again.afi == AFI.ipv4
    this.afi = AFI.ipv6
    assert not this.ipv4()
    with pytest.raises(AttributeError, match='shared'):
        NextHop('192.0.2.1').init('192.0.2.2')
    assert OURS['NextHop'] is NextHop
