"""What ExaBGP's qualifiers and next hops do, on examples: one suite for its own classes and for ours."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from exabgp.bgp.message.update.attribute.nexthop import NextHopSelf
from exabgp.protocol.family import AFI
from exabgp.protocol.ip import NoNextHop

from tests.support import OURS, SLOTS, STOCK


class RouteDistinguisherMixin:
    cls: Any

    def test_it_prints_by_type(self) -> None:
        for octets, text in {
            b'\0\0\xfd\xe8\0\0\0\7': '65000:7',
            b'\0\1\x0a\0\0\1\0\7': '10.0.0.1:7',
            b'\0\2\0\1\0\0\0\7': '65536:7',
        }.items():
            rd = self.cls(octets)
            assert str(rd) == f' rd {text}'
            assert rd.json() == f'"rd": "{text}"'
            assert (rd.pack(), len(rd), rd.rd) == (octets, 8, octets)

    def test_the_decoder_takes_eight_octets(self) -> None:
        assert self.cls.unpack(bytes(range(12))) == self.cls(bytes(range(8)))

    def test_it_is_made_from_elements(self) -> None:
        assert self.cls.fromElements('10.0.0.1', 7) == self.cls(b'\0\1\x0a\0\0\1\0\7')
        with pytest.raises(ValueError, match='invalid route-distinguisher'):
            self.cls.fromElements('4294967296', 70000)

    def test_it_has_no_order(self) -> None:
        with pytest.raises(RuntimeError, match='does not make sense'):
            self.cls(bytes(8)) < self.cls(bytes(8))  # noqa: B015

    def test_a_copy_of_an_empty_one_is_nord(self) -> None:
        assert copy.deepcopy(self.cls(b'')) == self.cls.NORD
        assert self.cls(b'').json() == str(self.cls(b'')) == ''


class LabelsMixin:
    cls: Any

    def test_a_stack_packs_with_the_bottom_bit(self) -> None:
        assert self.cls([100]).pack() == b'\0\x06\x41'
        assert self.cls([100, 200]).pack() == b'\0\x06\x40\0\x0c\x81'
        assert self.cls([100], bos=False).pack() == b'\0\x06\x40'

    def test_it_prints_its_labels_and_what_was_on_the_wire(self) -> None:
        assert self.cls([100]).json() == '"label": [ [100] ]'
        assert str(self.cls([100, 200])) == ' label [ 100 200 ]'
        assert self.cls.unpack(b'\0\x06\x41').json() == '"label": [ [100, 1601] ]'

    def test_an_empty_stack_is_not_nolabel_and_is_equal_to_it(self) -> None:
        assert self.cls([]) is not self.cls.NOLABEL
        assert self.cls([]) == self.cls.NOLABEL and not self.cls([]) and self.cls([]).json() == ''

    def test_it_cannot_be_hashed(self) -> None:
        with pytest.raises(TypeError, match='unhashable'):
            hash(self.cls([100]))


class PathInfoMixin:
    cls: Any

    def test_three_ways_to_say_one(self) -> None:
        for one in (self.cls(b'\0\0\0\1'), self.cls(integer=1), self.cls(ip='0.0.0.1')):
            assert one.json() == '"path-information": "0.0.0.1"'
            assert (one.pack(), len(one), str(one)) == (b'\0\0\0\1', 4, ' path-information 0.0.0.1')

    def test_none_packs_as_four_zeros_and_is_not_nopath(self) -> None:
        assert self.cls().pack() == bytes(4) and len(self.cls()) == 0
        assert self.cls() is not self.cls.NOPATH and self.cls() == self.cls.NOPATH
        assert self.cls(bytes(4)) != self.cls.NOPATH


class ESIMixin:
    cls: Any

    def test_the_default_prints_as_a_dash(self) -> None:
        assert (str(self.cls()), self.cls().json(), self.cls().pack()) == ('-', '"esi": "-"', bytes(10))
        assert str(self.cls(bytes(range(10)))) == '00:01:02:03:04:05:06:07:08:09'

    def test_another_length_is_refused(self) -> None:
        with pytest.raises(Exception, match='incorrect ESI, len 9 instead of 10'):
            self.cls(bytes(9))


class EthernetTagMixin:
    cls: Any

    def test_it_prints_and_packs_its_number(self) -> None:
        assert (str(self.cls(7)), self.cls(7).json(), self.cls(7).pack()) == ('7', '"ethernet-tag": 7', b'\0\0\0\7')
        assert self.cls.unpack(b'\0\0\0\7') == self.cls(7) and hash(self.cls(7)) == hash(7) and self.cls().tag == 0


class MACMixin:
    cls: Any

    def test_it_prints_in_capitals(self) -> None:
        mac = self.cls('aa:bb:cc:dd:ee:0f')
        assert (str(mac), mac.mac, mac.pack()) == (
            'AA:BB:CC:DD:EE:0F',
            'aa:bb:cc:dd:ee:0f',
            b'\xaa\xbb\xcc\xdd\xee\x0f',
        )
        assert self.cls('AA:BB:CC:DD:EE:0F') == self.cls.unpack(mac.pack()) and len(mac) == 6
        assert (mac == self.cls('AA:BB:CC:DD:EE:0F')) is not SLOTS  # ExaBGP 4.2 compares the text


class NextHopMixin:
    cls: Any

    def test_it_prints_and_packs_its_address(self) -> None:
        for text, octets in {
            '192.0.2.1': b'\xc0\0\2\1',
            '2001:db8::1': b'\x20\1\x0d\xb8' + bytes(11) + b'\1',
            '::ffff:192.0.2.1': bytes(10) + b'\xff\xff\xc0\0\2\1',
        }.items():
            for hop in (self.cls(text), self.cls(text, octets), self.cls.unpack(octets)):
                assert (str(hop), hop.top(), hop.ton(), hop.index()) == (text, text, octets, octets)
                assert hop.pack() == b'\x40\3' + bytes([len(octets)]) + octets
                assert hop.ipv4() == (len(octets) == 4) and str(hop.afi) == ('ipv4' if hop.ipv4() else 'ipv6')

    def test_the_text_is_kept_as_it_was_given(self) -> None:
        assert self.cls('2001:0DB8:0::1') == self.cls('2001:db8::1')
        assert str(self.cls('2001:0DB8:0::1')) == '2001:0DB8:0::1'
        assert str(self.cls('192.0.2.1', b'\xc0\0\2\2')) == '192.0.2.1'

    def test_no_octets_are_no_next_hop(self) -> None:
        assert self.cls.unpack(b'') is self.cls.unpack(bytearray()) is NoNextHop

    def test_self_is_another_class(self) -> None:
        this = NextHopSelf(AFI.ipv4)
        assert type(this) is NextHopSelf and isinstance(this, self.cls) and (str(this), this.SELF) == ('self', True)
        assert copy.deepcopy(this) is not this and str(copy.deepcopy(this)) == 'self'

    def test_it_cannot_be_hashed(self) -> None:
        with pytest.raises(TypeError, match='unhashable'):
            hash(self.cls('192.0.2.1'))


class TestStockRouteDistinguisher(RouteDistinguisherMixin):
    cls = STOCK['RouteDistinguisher']


class TestCanonicalRouteDistinguisher(RouteDistinguisherMixin):
    cls = OURS['RouteDistinguisher']


class TestStockLabels(LabelsMixin):
    cls = STOCK['Labels']


class TestCanonicalLabels(LabelsMixin):
    cls = OURS['Labels']


class TestStockPathInfo(PathInfoMixin):
    cls = STOCK['PathInfo']


class TestCanonicalPathInfo(PathInfoMixin):
    cls = OURS['PathInfo']


class TestStockESI(ESIMixin):
    cls = STOCK['ESI']


class TestCanonicalESI(ESIMixin):
    cls = OURS['ESI']


class TestStockEthernetTag(EthernetTagMixin):
    cls = STOCK['EthernetTag']


class TestCanonicalEthernetTag(EthernetTagMixin):
    cls = OURS['EthernetTag']


class TestStockMAC(MACMixin):
    cls = STOCK['MAC']


class TestCanonicalMAC(MACMixin):
    cls = OURS['MAC']


class TestStockNextHop(NextHopMixin):
    cls = STOCK['NextHop']


class TestCanonicalNextHop(NextHopMixin):
    cls = OURS['NextHop']
