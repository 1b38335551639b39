"""Where the routes of a report come from: what is read from a file, and what is refused, and in which words."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
import threading
from pathlib import Path
from struct import pack, unpack_from
from typing import Any, Callable

import mrtparse
import pytest

from exabgp_intern.__main__ import main
from exabgp_intern.lines import attributes
from exabgp_intern.report.internet import internet
from exabgp_intern.report.loading import _Received, loader
from exabgp_intern.report.messages import IPV4_UNICAST
from exabgp_intern.report.rib import ALL_ADD_PATH as ADD_PATH
from exabgp_intern.report.sources import received
from exabgp_intern.report.synthetic import FAMILIES, synthetic
from exabgp_intern.report.workload import Problem, Session
from tests import GOBGP
from tests.support import NO_HOOKS

IPV4 = pack('!HH', 65001, 65000), b'\0\0\0\1', bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
IPV4_AS4 = pack('!II', 65001, 65000), *IPV4[1:]
IPV6_AS4 = pack('!II', 65001, 65000), b'\0\0\0\2', b'\x20' + bytes(15), b'\x20' + bytes(14) + b'\1'


PACKERS = (gzip.compress, bz2.compress, lzma.compress)


def message(body: bytes, kind: int = 2) -> bytes:
    return b'\xff' * 16 + pack('!HB', 19 + len(body), kind) + body


def record(data: bytes, subtype: int = 4, kind: int = 16) -> bytes:
    """Return an MRT record, RFC 6396 section 2; by default of type BGP4MP, subtype BGP4MP_MESSAGE_AS4."""
    return pack('!IHHI', 1700000000, kind, subtype, len(data)) + data


def bgp4mp(body: bytes, head: Any = IPV4_AS4, kind: int = 2) -> bytes:
    return b''.join(head) + message(body, kind)


def as_path(asn4: bool, filler: bytes = b'') -> bytes:
    asns = pack('!BBII' if asn4 else '!BBHH', 2, 2, 65001, 65002)
    attributes = b'\x40\1\1\0' + pack('!BBB', 0x40, 2, len(asns)) + asns + b'\x40\3\4\xc0\0\2\1' + filler
    return pack('!HH', 0, len(attributes)) + attributes


ATTRIBUTES = b'\x40\1\1\0' + b'\x40\2\x0a\2\2' + pack('!II', 65001, 200000) + b'\x40\3\4\xc0\0\2\1'
OTHER = ATTRIBUTES + b'\x80\4\4\0\0\0\5'
NO_HOP = ATTRIBUTES[:-7]
HOP6 = b'\x20\1\x0d\xb8' + bytes(11) + b'\1'
LINK_LOCAL = b'\xfe\x80' + bytes(13) + b'\1'


def short(hop: bytes) -> bytes:
    """Return the MP_REACH_NLRI of a RIB entry, RFC 6396 section 4.3.4."""
    return bytes((0x80, 14, len(hop) + 1, len(hop))) + hop


def whole(family: Any, hop: bytes, nlri: bytes) -> bytes:
    """Return an MP_REACH_NLRI as it is in an UPDATE, with an extended length."""
    value = pack('!HBB', *family, len(hop)) + hop + b'\0' + nlri
    return pack('!BBH', 0x90, 14, len(value)) + value


def load(loader: Any, see: Any = None) -> tuple[int, int]:
    """Return how many NLRIs are decoded, and how many UPDATEs are refused."""
    decoded, refused = loader.load(see)
    return decoded, sum(refused.values())


def bodies(path: Path) -> list[bytes]:
    return [body for _, body in received(str(path)).updates]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / 'input'
        path.write_bytes(data)
        return path

    return write


def test_a_table_of_the_internet() -> None:
    workload = internet(3000, 3, peers=2)
    assert workload.updates == internet(3000, 3, peers=2).updates
    assert len({session.peer for session, _ in workload.updates}) == 2
    assert 1500 < len(workload.updates) < 2500
    loaded = loader(workload)
    assert loaded.load() == (6000, {})
    assert loaded.routes() == 6000
    sets = [change.attributes for change in loaded.changes()]
    assert 0.8 < len(set(map(str, sets))) / len(workload.updates) <= 1
    paths = {str(each[2]) for each in sets}
    assert 0.2 < len(paths) / len(workload.updates) < 0.7
    assert {code for each in sets for code in each} == {1, 2, 3, 4, 6, 7, 8, 32}


def test_the_most_prefixes_that_an_update_has_fit() -> None:
    assert max(len(body) for _, body in internet(20_000, 100).updates) < 4096 - 19


@pytest.mark.parametrize('family', FAMILIES)
def test_synthetic_routes_are_different_and_exabgp_reads_them_all(family: str) -> None:
    workload = synthetic(family, 1234, 7, 30)
    loader = _Received(workload)
    assert loader.load() == (1234, {})
    assert loader.routes() == 1234
    values: dict[str, set[str]] = {}
    for change in loader.changes():
        for name, value in attributes(change.nlri).items():
            values.setdefault(name, set()).add(str(value))
    expected = {
        'vpnv4': {'rd': 7, 'labels': 30},
        'labelled': {'labels': 30},
        'evpn': {'rd': 7, 'label': 30, 'esi': 7, 'etag': 7},
        'addpath': {'path_info': 16},
    }[family]
    assert {name: len(values[name]) for name in expected} == expected


def test_an_update_has_50_routes() -> None:
    assert len(synthetic('vpnv4', 1000, 10, 100).updates) == 20
    assert len(synthetic('vpnv4', 1001, 10, 100).updates) == 21
    assert len(synthetic('vpnv4', 1, 10, 100).updates) == 1


@pytest.mark.parametrize('family', FAMILIES)
def test_an_update_has_as_many_routes_as_are_asked_for(family: str) -> None:
    for number in (1, 7, 100):
        workload = synthetic(family, 200, 1, 100, number)
        assert len(workload.updates) == -(-200 // number) and f', {number} an UPDATE' in workload.name
        assert max(len(body) for _, body in workload.updates) + 19 <= 4096
        assert _Received(workload).load() == (200, {})


def test_messages_of_gobgp() -> None:
    workload = received(str(GOBGP))
    assert (len(workload.updates), workload.skipped, workload.damaged) == (1756, {}, '')
    assert {session[1:] for session, _ in workload.updates} == {(True, (), (), False, True)}
    assert b''.join(message(body) for _, body in workload.updates) == GOBGP.read_bytes()
    loader = _Received(received(str(GOBGP), said=Session(addpath=(IPV4_UNICAST,))))
    assert loader.load() == (2017, {})


def opening(identifier: int, *capabilities: tuple[int, bytes]) -> bytes:
    """Return an OPEN, RFC 4271 section 4.2, with capabilities, RFC 5492."""
    coded = b''.join(pack('!BBBB', 2, len(value) + 2, code, len(value)) + value for code, value in capabilities)
    return message(pack('!BHHIB', 4, 65000, 180, identifier, len(coded)) + coded, 1)


def update(nlris: bytes = b'\x18\x0a\0\0', asn4: bool = True, filler: bytes = b'') -> bytes:
    return message(as_path(asn4, filler) + nlris)


def vpn_update(hop: bytes) -> bytes:
    vpn = b'\x70' + (100 << 4 | 1).to_bytes(3, 'big') + b'\0\0\xfd\xe8\0\0\0\7' + b'\x0a\0\0'
    attributes = NO_HOP + whole((1, 128), bytes(8) + hop, vpn)
    return message(pack('!HH', 0, len(attributes)) + attributes)


AS4 = 65, pack('!I', 65000)
VPN = 1, b'\0\1\0\x80'
EXTENDED_HOP = 5, b'\0\1\0\x80\0\2'
EXTENDED_MESSAGE = 6, b''
WITH_PATH, LONG_FILLER = update(b'\0\0\0\7\x18\x0a\0\0'), b'\xd0\x63\x13\x88' + bytes(5000)


def way(mode: int, safi: int = 1) -> tuple[int, bytes]:
    """Return the capability ADD-PATH for IPv4, RFC 7911 section 4: 1 to receive, 2 to send."""
    return 69, bytes((0, 1, safi, mode))


# what is in the file, and how many routes ExaBGP reads in it and how many UPDATEs it refuses
STREAMS: dict[str, tuple[list[bytes], tuple[int, int]]] = {
    'no OPEN': ([update()], (1, 0)),
    'no OPEN, all families': ([vpn_update(bytes(4))], (1, 0)),
    'no OPEN, a long message': ([update(filler=LONG_FILLER)], (1, 0)),
    'no OPEN, 2-byte AS': ([update(asn4=False)], (0, 1)),
    'one without 4-byte AS': ([opening(1), update(asn4=False)], (1, 0)),
    'one with it': ([opening(1, AS4), update()], (1, 0)),
    'one of two with it': ([opening(1, AS4), opening(2), update(asn4=False)], (1, 0)),
    'both with it': ([opening(1, AS4), opening(2, AS4), update()], (1, 0)),
    'one end after the other': ([opening(1, AS4), update(asn4=False), opening(2), update(asn4=False)], (2, 0)),
    'sends path identifiers': ([opening(1, AS4, way(2)), WITH_PATH], (1, 0)),
    'receives them only': ([opening(1, AS4, way(1)), update()], (1, 0)),
    'sends them and they are received': ([opening(1, AS4, way(2)), opening(2, AS4, way(1)), WITH_PATH], (1, 0)),
    'receives them and they are sent': ([opening(1, AS4, way(1)), opening(2, AS4, way(3)), WITH_PATH], (1, 0)),
    'both send them': ([opening(1, AS4, way(2)), opening(2, AS4, way(2)), update()], (1, 0)),
    'of another family': ([opening(1, AS4, way(3)), opening(2, AS4, way(3, 4)), update()], (1, 0)),
    'next hop of IPv6': ([opening(1, AS4, VPN, EXTENDED_HOP), vpn_update(bytes(15) + b'\1')], (1, 0)),
    'of one end': ([opening(1, VPN, EXTENDED_HOP), opening(2, VPN), vpn_update(bytes(15) + b'\1')], (0, 1)),
    'family': ([opening(1, AS4, VPN), vpn_update(bytes(4))], (1, 0)),
    'family of one end': ([opening(1, AS4, VPN), opening(2, AS4), vpn_update(bytes(4))], (0, 1)),
    'long message': ([opening(1, AS4, EXTENDED_MESSAGE), update(filler=LONG_FILLER)], (1, 0)),
    'too long a message': ([opening(1, AS4), update(filler=LONG_FILLER)], (0, 1)),
    'a second session': ([opening(1), update(asn4=False), opening(1, AS4), update()], (2, 0)),
    'a third speaker': ([opening(1), opening(2), update(asn4=False), opening(3, AS4), update()], (2, 0)),
}


@pytest.mark.skipif(NO_HOOKS, reason='ExaBGP 5.0.1: its OPEN without a capability raises')
@pytest.mark.parametrize('name', STREAMS)
def test_opens_say_how_messages_read(name: str, file: Callable[[bytes], Path]) -> None:
    """RFC 5492, with RFC 6793, 7911, 8950, 4760 and 8654."""
    data, expected = STREAMS[name]
    workload = received(str(file(b''.join(data))))
    assert sum(workload.skipped.values()) == len(data) - len(workload.updates)
    paths = []
    counts = load(_Received(workload), lambda change, _: paths.append(str(change.attributes.get(2))))
    assert counts == expected
    assert not expected[0] or all('65001' in path for path in paths)


def test_each_end_has_an_adj_rib_in_if_it_is_known(file: Callable[[bytes], Path]) -> None:
    for data, routes in (
        ([opening(1, AS4), update(), opening(2, AS4), update()], 2),
        ([opening(1, AS4), opening(2, AS4), update(), update()], 1),
        ([opening(1, AS4), update(), opening(1, AS4), update()], 2),
    ):
        loaded = _Received(received(str(file(b''.join(data)))))
        assert (load(loaded), loaded.routes()) == ((2, 0), routes)


@pytest.mark.skipif(NO_HOOKS, reason='ExaBGP 5.0.1: it reads AS paths of the wrong length')
@pytest.mark.parametrize(
    'data, said, expected, advice',
    [
        (update(asn4=False), Session(asn4=False), (1, 0), ''),
        (update(asn4=False), None, (0, 1), '--asn2'),
        (opening(1, AS4) + update(asn4=False), None, (0, 1), '--asn2'),
        (opening(1, AS4) + update(asn4=False), Session(asn4=False), (1, 0), ''),
        (update(), Session(asn4=False), (0, 1), 'neither --add-path nor --asn2'),
        (update(b'\x30\x0a\0\0\x30\x0a\0'), None, (0, 1), ''),
        (update(b'\0\0\0\7\x1e\x0a\0\0\4'), None, (0, 1), '--add-path ipv4/unicast'),
        (update(b'\0\0\0\7\x1e\x0a\0\0\4', False), None, (0, 1), '--asn2 --add-path ipv4/unicast'),
        (update(), Session(addpath=(IPV4_UNICAST,)), (0, 1), 'neither --add-path nor --asn2'),
        (record(bgp4mp(as_path(False), IPV4_AS4)), None, (0, 1), ''),
    ],
    ids=str,
)  # fmt: skip
def test_options_and_which_to_try(
    data: bytes, said: Session | None, expected: Any, advice: str, file: Callable[[bytes], Path]
) -> None:
    loaded = _Received(received(str(file(data)), said=said))
    assert load(loaded) == expected
    assert loaded.advice() == (advice and f'1 of the refused UPDATEs can be read with {advice}')


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Return what was printed, without the line that says what is begun."""
    out, err = capsys.readouterr()
    begun, _, rest = err.partition('\n')
    assert ': loading it both ways: ' in begun
    return out, rest


def test_options_of_the_command_line(file: Callable[[bytes], Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = str(file(update(b'\0\0\0\7\x1e\x0a\0\0\4', asn4=False)))
    options = ['--asn2', '--add-path', 'ipv6/unicast', '--add-path', 'ipv4/unicast']
    assert main(['report', '--json', '--updates', path, *options]) == 0
    out, err = said(capsys)
    assert (json.loads(out)['routes'], json.loads(out)['advice'], err) == (1, None, '')


def test_advice_where_a_part_is_read(file: Callable[[bytes], Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = str(file(update() + update(b'\0\0\0\7\x1e\x0a\0\0\4', asn4=False)))
    assert main(['report', '--json', '--updates', path]) == 0
    out, err = said(capsys)
    assert err == f'exabgp-intern: {json.loads(out)["advice"]}\n' and '--asn2 --add-path ipv4/unicast' in err


NOTHING = {
    'End-of-RIB': (message(bytes(4)), 'no route was loaded'),
    'withdrawn': (update() + message(b'\0\4\x18\x0a\0\0\0\0'), 'ExaBGP read 2 NLRIs, and no route is left'),
    'refused': (
        message(b'\1' * 9) + update(asn4=False),
        'no route was loaded: ExaBGP refused 2 of 2 UPDATEs, the first with: UPDATE message error / Malformed '
        'Attribute List / invalid withdrawn routes length, not enough data available; '
        '1 of the refused UPDATEs can be read with --asn2',
    ),
}


@pytest.mark.parametrize('name', NOTHING)
def test_nothing_loaded_is_no_success(
    name: str, file: Callable[[bytes], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    data, reason = NOTHING[name]
    path = file(data)
    assert main(['report', '--updates', str(path)]) == 2
    assert said(capsys) == ('', f'exabgp-intern: {path}: {reason}\n')
    path = file(data + b'\xff')
    assert main(['report', '--updates', str(path), '--json']) == 2
    damage = f'{path}: byte {len(data)}: truncated, 1 of the 19 octets of a BGP message'
    assert said(capsys) == ('', f'exabgp-intern: {damage}; {path}: {reason}\n')


@pytest.mark.skipif(NO_HOOKS, reason='ExaBGP 5.0.1: it refuses an OPEN in other words')
def test_an_open_that_exabgp_refuses(file: Callable[[bytes], Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = file(opening(1, (69, b'\0')) + update())
    assert main(['report', '--updates', str(path)]) == 2
    out, err = said(capsys)
    assert out == '' and err.count('\n') == 1
    assert err.startswith(f'exabgp-intern: {path}, session 1, end 1: ExaBGP refused its OPEN: OPEN message error')


def test_what_is_no_update_is_skipped(file: Callable[[bytes], Path]) -> None:
    workload = received(str(file(message(b'', 4) + message(bytes(4)) + message(b'\6\4', 3))))
    assert [body for _, body in workload.updates] == [bytes(4)]
    assert workload.skipped == {'KEEPALIVE': 1, 'NOTIFICATION': 1}


MRT = b''.join((
    record(bgp4mp(bytes(4), IPV4), 1),
    record(bgp4mp(bytes(5), IPV4_AS4), 4),
    record(bgp4mp(bytes(6), IPV4), 8),
    record(bgp4mp(bytes(7), IPV6_AS4), 9),
    record(b'\0\1\2\3' + bgp4mp(bytes(8), IPV4_AS4), 4, kind=17),
    record(bgp4mp(bytes(9), IPV4_AS4), 7),  # the collector's own
    record(b''.join(IPV4) + pack('!HH', 6, 1), 0),  # the session went down
    record(bgp4mp(b'', kind=4)),  # a keepalive
))  # fmt: skip


def test_mrt_sessions_follow_the_record(file: Callable[[bytes], Path]) -> None:
    """RFC 6396 section 4.4.2 and 4.4.3, RFC 8050 section 3."""
    workload = received(str(file(MRT)))
    peer, peer_as4 = IPV4[0][:2] + IPV4[2], IPV4_AS4[0][:4] + IPV4[2]
    assert [(session[:3], len(body)) for session, body in workload.updates] == [
        ((peer, False, ()), 4),
        ((peer_as4, True, ()), 5),
        ((peer, False, ADD_PATH), 6),
        ((IPV6_AS4[0][:4] + IPV6_AS4[2], True, ADD_PATH), 7),
        ((peer_as4, True, ()), 8),
    ]
    assert workload.skipped == {'BGP4MP_MESSAGE_AS4_LOCAL': 1, 'BGP4MP_STATE_CHANGE': 1, 'KEEPALIVE': 1}
    assert workload.damaged == ''


@pytest.mark.parametrize('pack_with', PACKERS, ids=['gzip', 'bzip2', 'xz'])
def test_mrt_packed(file: Callable[[bytes], Path], pack_with: Callable[[bytes], bytes]) -> None:
    plain = received(str(file(MRT)))
    assert received(str(file(pack_with(MRT)))) == plain


def test_mrt_is_read_as_its_session_was(file: Callable[[bytes], Path]) -> None:
    """4-byte AS numbers and path identifiers only where the record says so; and each peer has an adj-rib-in."""
    prefix, path = b'\x18\x0a\0\0', b'\0\0\0\7'
    other = IPV4_AS4[0], IPV4[1], bytes((192, 0, 2, 9)), IPV4[3]
    records = (
        record(bgp4mp(as_path(False) + prefix, IPV4), 1),
        record(bgp4mp(as_path(True) + prefix, IPV4_AS4), 4),
        record(bgp4mp(as_path(True) + prefix, other), 4),
        record(bgp4mp(as_path(False) + path + prefix, IPV4), 8),
        record(bgp4mp(as_path(True) + path + prefix, IPV4_AS4), 9),
    )
    loader = _Received(received(str(file(b''.join(records)))))
    seen = []
    assert load(loader, lambda change, negotiated: seen.append((str(change), change.nlri.pack(negotiated)))) == (5, 0)
    assert loader.routes() == 5
    # in brackets of another kind in ExaBGP 4.2
    assert all('65001 65002' in shown for shown, _ in seen)
    assert [packed for _, packed in seen] == [prefix] * 3 + [path + prefix] * 2


def test_a_cut_at_any_byte_leaves_what_came_before(file: Callable[[bytes], Path]) -> None:
    data = GOBGP.read_bytes()[:1000]
    whole = GOBGP.read_bytes()
    ends = [0]
    while ends[-1] < len(data):
        ends.append(ends[-1] + unpack_from('!H', whole, ends[-1] + 16)[0])
    for length in range(1, len(data)):
        before = sum(end <= length for end in ends) - 1
        path = file(data[:length])
        if before:
            workload = received(str(path))
            assert len(workload.updates) == before
            assert workload.damaged == '' if length in ends else f'{path}: byte {ends[before]}: ' in workload.damaged
        else:
            with pytest.raises(Problem, match='input: byte 0: '):
                received(str(path))


@pytest.mark.parametrize('pack_with', [bytes, *PACKERS], ids=['plain', 'gzip', 'bzip2', 'xz'])
def test_a_dump_cut_at_any_byte(file: Callable[[bytes], Path], pack_with: Callable[[bytes], bytes]) -> None:
    packed, all_of_it = pack_with(MRT), received(str(file(MRT))).updates
    cut = 0
    for length in range(len(packed)):
        path = file(packed[:length])
        try:
            workload = received(str(path))
        except Problem as problem:
            assert str(problem).startswith((f'{path}: byte ', f'{path}: no BGP UPDATE'))
        else:
            assert workload.updates == all_of_it[: len(workload.updates)]
            cut += f'{path}: byte ' in workload.damaged
    assert cut or pack_with in (bz2.compress, lzma.compress)  # they unpack a block as a whole or not at all


def table(data: bytes, subtype: int) -> bytes:
    """Return a record of TABLE_DUMP_V2, RFC 6396 section 4.3."""
    return record(data, subtype, kind=13)


def peer_index(*peers: bytes) -> bytes:
    """Return a PEER_INDEX_TABLE with the view 'all'."""
    return table(b'\0\0\0\1\0\3all' + pack('!H', len(peers)) + b''.join(peers), 1)


def rib(subtype: int, head: bytes, *entries: Any) -> bytes:
    """Return a record with the entries (peer, attributes) or (peer, attributes, path identifier) of one prefix."""
    rows = [
        pack('!HI', peer, 1700000000) + b''.join(path) + pack('!H', len(attributes)) + attributes
        for peer, attributes, *path in entries
    ]
    return table(pack('!I', 7) + head + pack('!H', len(rows)) + b''.join(rows), subtype)


PEERS = peer_index(
    b'\2\0\0\0\1' + bytes((192, 0, 2, 1)) + pack('!I', 65001),  # 4-byte AS
    b'\3\0\0\0\2' + b'\x20' + bytes(15) + pack('!I', 65002),  # and IPv6
    b'\0\0\0\0\3' + bytes((192, 0, 2, 3)) + pack('!H', 65003),
)
PEER = [
    pack('!I', 65001) + bytes((192, 0, 2, 1)),
    pack('!I', 65002) + b'\x20' + bytes(15),
    pack('!H', 65003) + bytes((192, 0, 2, 3)),
]


def shown(data: bytes, file: Callable[[bytes], Path], nlris_per_update: int = 50) -> Any:
    """Return by session what ExaBGP makes of the UPDATEs, and how many it decoded and refused."""
    workload = received(str(file(data)), nlris_per_update=nlris_per_update)
    assert not workload.damaged
    loader = _Received(workload)
    seen: list[Any] = []
    counts = load(
        loader,
        lambda change, negotiated: seen.append((
            str(change.nlri).replace(f' next-hop {change.nlri.nexthop}', ''),
            str(change.nlri.nexthop),
            str(change.attributes.get(2)),
            4 in change.attributes,
        ))
    )  # fmt: skip
    return seen, counts, loader.routes()


TWO = '( 65001 200000 )'


@pytest.mark.parametrize('nlris_per_update, updates', [(50, 4), (2, 5), (1, 6)])
def test_a_rib_dump_of_ipv4(file: Callable[[bytes], Path], nlris_per_update: int, updates: int) -> None:
    """Routes of one peer with the same attributes share an UPDATE, wherever they are in the dump."""
    data = (
        PEERS
        + rib(2, b'\x08\x0a', (0, ATTRIBUTES), (1, ATTRIBUTES), (2, OTHER))
        + rib(2, b'\x10\x0a\1', (0, OTHER))
        + rib(2, b'\0', (0, ATTRIBUTES))
        + rib(2, b'\x19\x0a\2\0\x80', (0, ATTRIBUTES))
    )
    workload = received(str(file(data)), nlris_per_update=nlris_per_update)
    assert len(workload.updates) == updates
    assert {session[:3] for session, _ in workload.updates} == {(peer, True, ()) for peer in PEER}
    assert (workload.skipped, workload.damaged, workload.zero_next_hops) == ({}, '', 0)
    assert f'up to {nlris_per_update} an UPDATE' in workload.name
    seen, counts, routes = shown(data, file, nlris_per_update)
    assert counts == (6, 0) and routes == 6
    assert sorted(seen) == sorted(
        [(prefix, '192.0.2.1', TWO, False) for prefix in ('0.0.0.0/0', '10.0.0.0/8', '10.0.0.0/8', '10.2.0.128/25')]
        + [('10.0.0.0/8', '192.0.2.1', TWO, True), ('10.1.0.0/16', '192.0.2.1', TWO, True)]
    )


@pytest.mark.parametrize('hop, address', [(HOP6, '2001:db8::1'), (HOP6 + LINK_LOCAL, None)])
def test_a_rib_dump_of_ipv6_in_both_forms(file: Callable[[bytes], Path], hop: bytes, address: str | None) -> None:
    """MP_REACH_NLRI as its next hop alone and as a whole come to the same UPDATE, the one that was sent."""
    one, two = b'\x20\x20\1\x0d\xb8', b'\x30\x20\1\x0d\xb8\0\1'
    short_form = PEERS + b''.join(rib(4, nlri, (1, NO_HOP + short(hop))) for nlri in (one, two))
    whole_form = PEERS + b''.join(rib(4, nlri, (1, NO_HOP + whole((2, 1), hop, nlri))) for nlri in (one, two))
    sent = whole((2, 1), hop, one + two) + NO_HOP
    for data in (short_form, whole_form):
        assert received(str(file(data))).updates == [(Session(PEER[1]), pack('!HH', 0, len(sent)) + sent)]
    if address:
        seen, counts, _ = shown(short_form, file)
        assert seen == [(prefix, address, TWO, False) for prefix in ('2001:db8::/32', '2001:db8:1::/48')]
        assert counts == (2, 0)


def test_a_rib_dump_with_path_identifiers(file: Callable[[bytes], Path]) -> None:
    """RFC 8050 section 4.1."""
    data = (
        PEERS
        + rib(8, b'\x08\x0a', (0, ATTRIBUTES, b'\0\0\0\1'), (0, ATTRIBUTES, b'\0\0\0\2'))
        + rib(10, b'\x10\x20\1', (0, NO_HOP + short(HOP6), b'\0\0\0\3'))
    )
    assert {session[:3] for session, _ in received(str(file(data))).updates} == {(PEER[0], True, ADD_PATH)}
    seen, counts, routes = shown(data, file)
    assert (counts, routes) == ((3, 0), 3)
    assert [prefix for prefix, *_ in seen] == [
        '10.0.0.0/8 path-information 0.0.0.1',
        '10.0.0.0/8 path-information 0.0.0.2',
        '2001::/16 path-information 0.0.0.3',
    ]


VPN_NLRI = b'\x70' + (100 << 4 | 1).to_bytes(3, 'big') + b'\0\0\xfd\xe8\0\0\0\7' + b'\x0a\0\0'
EVPN = b'\3\x11\0\0\xfd\xe8\0\0\0\7' + bytes(4) + b'\x20\x0a\0\0\1'
# FlowSpec: to 10.0.0.0/24, and the same with so many ports that its length takes two octets
FLOW = b'\5\1\x18\x0a\0\0', b'\xf0\xf8\1\x18\x0a\0\0\4' + b'\1\x50' * 120 + b'\x81\x51'
HOP4, PATH = bytes((192, 0, 2, 1)), b'\0\0\0\1'
PREFIX, GENERIC_VPN = b'\x08\x0a', b'\0\1\x80'  # of 8 bits; AFI and SAFI
# of RIB records: subtype, what is before the entries, what is in an entry, and prefix, next hop and whether it is zeros
ENTRIES: dict[str, tuple[int, bytes, tuple[bytes, ...], str, str, bool]] = {
    'IPv4': (2, PREFIX, (ATTRIBUTES,), '10.0.0.0/8', '192.0.2.1', False),
    'IPv4, nowhere': (2, PREFIX, (NO_HOP,), '10.0.0.0/8', '0.0.0.0', True),
    'IPv4, short': (2, PREFIX, (NO_HOP + short(HOP4),), '10.0.0.0/8', '192.0.2.1', False),
    'IPv4, empty': (2, PREFIX, (ATTRIBUTES + short(b''),), '10.0.0.0/8', '192.0.2.1', False),
    'IPv4, of IPv6': (2, PREFIX, (NO_HOP + short(HOP6),), '10.0.0.0/8', '2001:db8::1', False),
    'IPv4, of IPv6 whole': (2, PREFIX, (ATTRIBUTES + whole((1, 1), HOP6, PREFIX),), '10.0.0.0/8', '2001:db8::1', False),
    'IPv4, path': (8, PREFIX, (ATTRIBUTES, PATH), '10.0.0.0/8 path-information 0.0.0.1', '192.0.2.1', False),
    'IPv4 multicast': (3, PREFIX, (ATTRIBUTES,), '10.0.0.0/8', '192.0.2.1', False),
    'IPv4 multicast, path': (9, PREFIX, (ATTRIBUTES, PATH), '10.0.0.0/8 path-information 0.0.0.1', '192.0.2.1', False),
    'IPv6': (4, b'\x10\x20\1', (NO_HOP + short(HOP6),), '2001::/16', '2001:db8::1', False),
    'IPv6, in NEXT_HOP': (4, b'\x10\x20\1', (ATTRIBUTES,), '2001::/16', '::ffff:192.0.2.1', False),
    'IPv6, nowhere': (4, b'\x10\x20\1', (NO_HOP,), '2001::/16', '::', True),
    'IPv6, path, nowhere': (10, b'\x10\x20\1', (NO_HOP, PATH), '2001::/16 path-information 0.0.0.1', '::', True),
    'IPv6 multicast': (5, b'\x10\x20\1', (NO_HOP + short(HOP6),), '2001::/16', '2001:db8::1', False),
    'VPN': (6, GENERIC_VPN + VPN_NLRI, (NO_HOP + short(bytes(8) + HOP4),), 'VPN', '192.0.2.1', False),
    'VPN, without RD': (6, GENERIC_VPN + VPN_NLRI, (NO_HOP + short(HOP4),), 'VPN', '192.0.2.1', False),
    'VPN, in NEXT_HOP': (6, GENERIC_VPN + VPN_NLRI, (ATTRIBUTES,), 'VPN', '192.0.2.1', False),
    'VPN, of IPv6': (6, GENERIC_VPN + VPN_NLRI, (NO_HOP + short(bytes(8) + HOP6),), 'VPN', '2001:db8::1', False),
    'VPN, nowhere': (6, GENERIC_VPN + VPN_NLRI, (NO_HOP,), 'VPN', '0.0.0.0', True),
    'VPN, path': (12, GENERIC_VPN + VPN_NLRI, (ATTRIBUTES, PATH), 'VPN path-information', '192.0.2.1', False),
    'VPN, path first': (12, GENERIC_VPN + PATH + VPN_NLRI, (ATTRIBUTES,), 'VPN path-information', '192.0.2.1', False),
    'EVPN': (6, b'\0\x19\x46' + EVPN, (NO_HOP + short(HOP4),), 'evpn:multicast:', '192.0.2.1', False),
    'flow': (6, b'\0\1\x85' + FLOW[0], (NO_HOP + short(b''),), 'flow destination-ipv4 10.', 'no-nexthop', False),
    'long flow': (6, b'\0\1\x85' + FLOW[1], (NO_HOP,), 'flow destination-ipv4 10.', 'no-nexthop', False),
}  # fmt: skip


@pytest.mark.skipif(NO_HOOKS, reason='the first releases of 5.0 decode fewer families')
@pytest.mark.parametrize('name', ENTRIES)
def test_a_route_of_a_table(name: str, file: Callable[[bytes], Path]) -> None:
    """RFC 6396 section 4.3, RFC 8050 section 4; with what collectors write for the next hop."""
    subtype, head, entry, prefix, hop, nowhere = ENTRIES[name]
    prefix = prefix.replace('VPN', '10.0.0.0/24')
    data = PEERS + rib(subtype, head, (0, *entry), (1, *entry))
    seen, counts, routes = shown(data, file)
    assert (counts, routes, received(str(file(data))).zero_next_hops) == ((2, 0), 2, 2 * nowhere)
    for shown_prefix, *rest in seen:
        assert shown_prefix.startswith(prefix), shown_prefix
        assert rest == [hop, TWO, False]


def test_what_is_no_route_in_a_table_is_named(file: Callable[[bytes], Path]) -> None:
    data = (
        PEERS
        + rib(2, b'\x08\x0a', (0, ATTRIBUTES))
        + rib(6, b'\0\x19\x63' + bytes(9), (0, ATTRIBUTES))
        + table(b'', 7)
        + table(b'', 99)
        + record(b'', 1, kind=11)
        + record(b'', 2)
    )
    workload = received(str(file(data)))
    kinds = 'RIB_GENERIC of AFI 25, SAFI 99', 'GEO_PEER_TABLE', 'TABLE_DUMP_V2 subtype 99', 'OSPFv2 subtype 1'
    assert workload.skipped == {**dict.fromkeys(kinds, 1), 'BGP4MP_ENTRY': 1}
    assert len(workload.updates) == 1 and not workload.damaged


def first_version(prefix: bytes, bits: int, peer: bytes, attributes: bytes) -> bytes:
    """Return a record of TABLE_DUMP, RFC 6396 section 4.2."""
    data = pack('!HH', 0, 7) + prefix + pack('!BBI', bits, 1, 1700000000) + peer + pack('!H', 65001)
    return record(data + pack('!H', len(attributes)) + attributes, 1 if len(prefix) == 4 else 2, kind=12)


OLD_PATH = b'\x40\1\1\0\x40\2\6\2\2' + pack('!HH', 65001, 65002)
OLD_HOP = OLD_PATH + b'\x40\3\4' + HOP4
AGGREGATORS = (
    (b'\xc0\7\6' + pack('!H', 65001) + HOP4, '65001'),
    (b'\xc0\7\x08' + pack('!I', 65001) + HOP4, '65001'),
    (b'\xc0\7\x08' + pack('!I', 200000) + HOP4, '200000'),
)
FIRST_VERSION = (
    first_version(bytes((10, 1, 0, 0)), 16, HOP4, OLD_HOP)
    + first_version(bytes((10, 2, 0, 0)), 16, HOP4, OLD_HOP)
    + first_version(bytes((10, 1, 0, 0)), 16, bytes((192, 0, 2, 9)), OLD_HOP)
    + first_version(b'\x20\1\x0d\xb8' + bytes(12), 32, HOP6, OLD_PATH + whole((2, 1), HOP6, b''))
    + first_version(b'\x20\1\x0d\xb9' + bytes(12), 32, HOP4 + bytes(12), OLD_PATH + short(HOP6))
)


def test_a_rib_dump_of_the_first_version(file: Callable[[bytes], Path]) -> None:
    seen, counts, routes = shown(FIRST_VERSION, file)
    assert (counts, routes) == ((5, 0), 5)
    assert sorted(seen) == [
        (prefix, hop, '( 65001 65002 )', False)
        for prefix, hop in [
            *[('10.1.0.0/16', '192.0.2.1')] * 2,
            ('10.2.0.0/16', '192.0.2.1'),
            ('2001:db8::/32', '2001:db8::1'),
            ('2001:db9::/32', '2001:db8::1'),
        ]
    ]
    workload = received(str(file(FIRST_VERSION)))
    assert len(workload.updates) == 4 and {session.asn4 for session, _ in workload.updates} == {False}


@pytest.mark.skipif(NO_HOOKS, reason='ExaBGP 5.0.1: it does not join the AGGREGATORs')
@pytest.mark.parametrize('aggregator, asn', AGGREGATORS)
def test_aggregators_of_the_first_version(aggregator: bytes, asn: str, file: Callable[[bytes], Path]) -> None:
    loaded = _Received(received(str(file(first_version(bytes(4), 8, HOP4, OLD_HOP + aggregator)))))
    assert loaded.load() == (1, {})
    assert [f'aggregator ( {asn}:192.0.2.1 )' in str(change.attributes) for change in loaded.changes()] == [True]


def test_messages_with_an_ipv6_next_hop_for_ipv4(file: Callable[[bytes], Path]) -> None:
    """RFC 8950, in dumps and in streams without an OPEN; it is the same adj-rib-in, and the other families go on."""
    ipv4, flow = b'\x08\x0a', FLOW[0]
    new, old, other = (
        pack('!HH', 0, len(attributes)) + attributes + nlris
        for attributes, nlris in (
            (NO_HOP + whole((1, 1), HOP6, ipv4), b''),
            (ATTRIBUTES, ipv4),
            (NO_HOP + whole((1, 133), b'', flow), b''),
        )
    )
    for data in (
        b''.join(record(bgp4mp(body)) for body in (old, other, new)),
        b''.join(message(body) for body in (old, other, new)),
    ):
        seen, counts, routes = shown(data, file)
        assert (counts, routes) == ((3, 0), 2)
        assert [hop for _, hop, *_ in seen] == ['192.0.2.1', 'no-nexthop', '2001:db8::1']


@pytest.mark.parametrize('body', [b'\0\0\0\x09' + b'\x80\x0e\6\0\1\1\x10\0', bytes(3) + b'\x0e\x80\x0e\5\0\1\1\x10'])
def test_what_only_looks_like_an_ipv6_next_hop(body: bytes, file: Callable[[bytes], Path]) -> None:
    assert not received(str(file(message(body)))).updates[0][0].extended


def test_a_rib_dump_may_have_messages_too(file: Callable[[bytes], Path]) -> None:
    workload = received(str(file(PEERS + rib(2, b'\x08\x0a', (0, ATTRIBUTES)) + MRT)))
    assert [len(body) for _, body in workload.updates[:5]] == [4, 5, 6, 7, 8] and len(workload.updates) == 6


RIB = (
    PEERS
    + rib(2, b'\x08\x0a', (0, ATTRIBUTES), (2, OTHER))
    + rib(4, b'\x10\x20\1', (1, NO_HOP + short(HOP6)), (1, NO_HOP + whole((2, 1), HOP6, b'\x10\x20\1')))
    + rib(8, b'\x10\x0a\1', (0, ATTRIBUTES, b'\0\0\0\1'))
)


def read_by_mrtparse(path: Path) -> list[Any]:
    """Return the routes of tables as mrtparse reads them: prefix, next hop, AS path and whether there is a MED."""
    routes = []
    for entry in mrtparse.Reader(str(path)):
        assert entry.err is None, entry.err_msg
        # a record of TABLE_DUMP is an entry itself
        for row in entry.data.get('rib_entries') or ([entry.data] if 'path_attributes' in entry.data else ()):
            attributes = {next(iter(each['type'])): each['value'] for each in row['path_attributes']}
            hop = attributes[14]['next_hop'][0] if 14 in attributes else attributes.get(3)
            path_id = f' path-information 0.0.0.{row["path_id"]}' if 'path_id' in row else ''
            as_path = f'( {" ".join(attributes[2][0]["value"])} )'
            prefix = f'{entry.data["prefix"]}/{entry.data["length"]}{path_id}'
            routes.append((prefix, hop, as_path, 4 in attributes))
    return routes


def test_mrtparse_reads_the_same_routes(file: Callable[[bytes], Path]) -> None:
    expected = read_by_mrtparse(file(RIB))
    assert len(expected) == 5
    assert sorted(shown(RIB, file)[0]) == sorted(expected)


def test_mrtparse_reads_the_same_routes_of_the_first_version(file: Callable[[bytes], Path]) -> None:
    data = FIRST_VERSION[: FIRST_VERSION.rindex(pack('!IHH', 1700000000, 12, 2))]  # it does not know the short form
    expected = read_by_mrtparse(file(data))
    assert len(expected) == 4
    assert sorted(shown(data, file)[0]) == sorted(expected)


# mrtparse 2.2.0 takes three octets of RIB_GENERIC for an AFI of two, and knows neither of the next hops.
NOT_OF_MRTPARSE = ('IPv4, empty', 'IPv4, of IPv6', 'IPv4, of IPv6 whole')


@pytest.mark.skipif(NO_HOOKS, reason='ExaBGP 5.0.1: it does not know IPv6 multicast')
@pytest.mark.parametrize(
    'name', [name for name, entry in ENTRIES.items() if entry[0] not in (6, 12) and name not in NOT_OF_MRTPARSE]
)
def test_mrtparse_reads_as_many_routes(name: str, file: Callable[[bytes], Path]) -> None:
    subtype, head, entry, *_ = ENTRIES[name]
    path = file(PEERS + rib(subtype, head, (0, *entry), (1, *entry)))
    assert load(_Received(received(str(path)))) == (len(read_by_mrtparse(path)), 0) == (2, 0)


@pytest.mark.parametrize('head, subtype', [(IPV4, 1), (IPV4_AS4, 4), (IPV4, 8), (IPV4_AS4, 9), (IPV6_AS4, 4)])
def test_mrtparse_reads_as_many_routes_of_messages(head: Any, subtype: int, file: Callable[[bytes], Path]) -> None:
    path = b'\0\0\0\7' if subtype in (8, 9) else b''
    body = as_path(len(head[0]) == 8) + path + b'\x18\x0a\0\0' + path + b'\x18\x0a\0\1'
    dump = file(record(bgp4mp(body, head), subtype) * 2)
    read = sum(len(entry.data['bgp_message']['nlri']) for entry in mrtparse.Reader(str(dump)))
    assert load(_Received(received(str(dump)))) == (read, 0) == (4, 0)


def test_a_rib_dump_cut_at_any_byte(file: Callable[[bytes], Path]) -> None:
    ends = [len(PEERS), RIB.index(b'\x10\x20\1') - 16]
    ends.append(RIB.index(b'\x10\x0a\1') - 16)
    for length in range(1, len(RIB)):
        path = file(RIB[:length])
        before = sum(end <= length for end in ends[1:])
        try:
            workload = received(str(path))
        except Problem as problem:
            assert not before and str(problem).startswith((f'{path}: byte ', f'{path}: no BGP UPDATE'))
        else:
            assert len(workload.updates) == (0, 2, 3)[before]  # the two of IPv6 come to one
            assert bool(workload.damaged) == (length not in ends)
            assert not workload.damaged or workload.damaged.startswith(f'{path}: byte {ends[before]}: truncated, ')


@pytest.mark.parametrize('pack_with', PACKERS, ids=['gzip', 'bzip2', 'xz'])
def test_a_rib_dump_packed(file: Callable[[bytes], Path], pack_with: Callable[[bytes], bytes]) -> None:
    plain = received(str(file(RIB)))
    assert received(str(file(pack_with(RIB)))) == plain and len(plain.updates) == 4


@pytest.mark.parametrize(
    'data',
    [GOBGP.read_bytes()[:400], MRT, gzip.compress(MRT), bz2.compress(MRT), lzma.compress(MRT), RIB, FIRST_VERSION],
    ids=['messages', 'plain', 'gzip', 'bzip2', 'xz', 'rib', 'first version'],
)
def test_a_wrong_byte_anywhere_is_a_problem_or_is_not_seen(file: Callable[[bytes], Path], data: bytes) -> None:
    for at in range(len(data)):
        path = file(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        try:
            received(str(path))
        except Problem as problem:
            assert str(problem).startswith((f'{path}: byte ', f'{path}: no BGP UPDATE'))


@pytest.mark.parametrize(
    'data, damage',
    [
        (GOBGP.read_bytes()[:221] + b'\xff' * 15 + b'\0', 'byte 221: no BGP marker'),
        (MRT + record(b'', kind=99), f'byte {len(MRT)}: no BGP message and no MRT record starts here'),
        (MRT + record(bgp4mp(bytes(4))[:-1]), f'byte {len(MRT)}: a BGP message of length 23 in a record that has 22'),
        (FIRST_VERSION + record(b'', 1, kind=12), f'byte {len(FIRST_VERSION)}: a field is longer'),
        (RIB + rib(2, b'\x08\x0a', (3, ATTRIBUTES)), f'byte {len(RIB)}: peer 3 is not in a PEER_INDEX_TABLE of 3'),
        (RIB + PEERS + rib(4, b'\x08\x20', (0, NO_HOP + b'\x80\x0e\2\0\2')), 'byte '),
    ],
    ids=['messages', 'type', 'BGP4MP', 'TABLE_DUMP', 'TABLE_DUMP_V2', 'MP_REACH_NLRI'],
)
def test_what_comes_before_damage_is_read(data: bytes, damage: str, file: Callable[[bytes], Path]) -> None:
    path = file(data)
    workload = received(str(path))
    assert workload.damaged.startswith(f'{path}: {damage}') and '\n' not in workload.damaged
    assert workload.updates and _Received(workload).load()[0] > 0


GOOD = message(b'', 4)
LONG = record(bgp4mp(bytes(4))[:-1])
BAD_FILES = {
    'empty': (b'', 'no BGP UPDATE in it'),
    'text': (b'neighbor 192.0.2.1 {\n}\n', 'byte 0: no BGP message and no MRT record starts here'),
    'only a keepalive': (message(b'', 4), 'no BGP UPDATE in it'),
    'marker': (GOOD + b'\xff' * 15 + b'\0' + GOOD[16:], 'byte 19: no BGP marker'),
    'marker of a cut header': (GOOD + b'\xff\xff\0', 'byte 19: no BGP marker'),
    'length below the header': (GOOD + b'\xff' * 16 + b'\0\x12\2', 'byte 19: a BGP message of type 2 cannot'),
    'length below an UPDATE': (GOOD + b'\xff' * 16 + b'\0\x16\2', 'byte 19: a BGP message of type 2 cannot'),
    'first message cut': (message(bytes(4))[:-1], 'byte 0: truncated, 22 of the 23 octets of a BGP message'),
    'first record cut': (MRT[:40], 'byte 0: truncated, 28 of the '),
    'MRT header cut': (MRT[:11], 'byte 0: truncated, 11 of the 12 octets of an MRT header'),
    'unknown MRT type': (record(b'', 5) + record(b'', kind=99), 'byte 12: no BGP message and no MRT record'),
    'not read': (record(b'', 2) * 3 + record(b'', 3, kind=12), 'no BGP UPDATE in it, only what the report does not '
        'read: 3 BGP4MP_ENTRY, 1 TABLE_DUMP subtype 3'),
    'first version cut': (record(bytes(21), 1, kind=12), 'byte 0: a field is longer than what contains it'),
    'no peer index': (rib(2, b'\x08\x0a', (0, ATTRIBUTES)), 'byte 0: peer 0 is not in a PEER_INDEX_TABLE of 0'),
    'peer 3 of 3': (PEERS + rib(2, b'\x08\x0a', (3, ATTRIBUTES)), 'byte 72: peer 3 is not in a PEER_INDEX_TABLE of 3'),
    'peers cut': (table(b'\0' * 4 + b'\0\0\0\1\0', 1), 'byte 0: a field is longer than what contains it'),
    'empty peer index': (table(b'', 1), 'byte 0: a field is longer than what contains it'),
    'only peers': (PEERS, 'no BGP UPDATE in it'),
    'prefix cut': (PEERS + table(b'\0\0\0\0\x20\x0a', 2), 'byte 72: a field is longer than what contains it'),
    'prefix too long': (PEERS + table(b'\0\0\0\0\x21' + bytes(9), 2), 'byte 72: a prefix of 33 bits'),
    'attribute past its end': (
        PEERS + rib(2, b'\x08\x0a', (0, ATTRIBUTES[:-1])),
        'byte 72: a field is longer than what contains it',
    ),
    'neither form of MP_REACH_NLRI': (
        PEERS + rib(4, b'\x10\x20\1', (0, ATTRIBUTES + b'\x80\x0e\2\0\2')),
        'byte 72: an MP_REACH_NLRI that is neither whole nor a next hop',
    ),
    'MP_REACH_NLRI of another family': (
        PEERS + rib(4, b'\x10\x20\1', (0, ATTRIBUTES + whole((1, 1), HOP6, b'\x08\x0a'))),
        'byte 72: an MP_REACH_NLRI that is neither whole nor a next hop',
    ),
    'attributes too long to be sent': (
        PEERS + rib(2, b'\x08\x0a', (0, b'\xd0\x63\xea\x5d' + bytes(59_997))),
        'byte 72: a route with 60001 octets of attributes',
    ),
    'length in a record': (LONG, 'byte 0: a BGP message of length 23 in a record that has 22 octets'),
    'marker in a record': (record(b''.join(IPV4_AS4) + bytes(23)), 'byte 0: no BGP marker'),
    'record too short for one': (record(b'\0' * 7), 'byte 0: a field is longer than what contains it'),
    'gzip of text': (gzip.compress(b'no records here'), 'byte 0: no BGP message and no MRT record starts here'),
    'not quite gzip': (b'\x1f\x8b' + bytes(20), 'byte 0: '),
    'not quite bzip2': (b'BZh' + bytes(20), 'byte 0: '),
    'not quite xz': (b'\xfd7zXZ\0' + bytes(20), 'byte 0: '),
}  # fmt: skip


@pytest.mark.parametrize('name', BAD_FILES)
def test_bad_files(name: str, file: Callable[[bytes], Path], capsys: pytest.CaptureFixture[str]) -> None:
    data, expected = BAD_FILES[name]
    path = file(data)
    assert main(['report', '--updates', str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ''
    assert err.startswith(f'exabgp-intern: {path}: {expected}')
    assert err.count('\n') == 1 and err.endswith('\n')


def test_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option, path, reason in (
        ('--updates', tmp_path / 'none', 'No such file or directory'),
        ('--updates', tmp_path, 'no file in here'),
        ('--config', tmp_path / 'none', 'No such file or directory'),
        ('--config', tmp_path, 'Is a directory'),
    ):
        assert main(['report', option, str(path)]) == 2
        assert capsys.readouterr() == ('', f'exabgp-intern: {path}: {reason}\n')


def test_several_files_and_directories_are_read_in_order(tmp_path: Path) -> None:
    data = {'b': MRT, 'a': GOBGP.read_bytes()[:56], 'c': bz2.compress(RIB), 'd': opening(1) + update(asn4=False)}
    for name, content in data.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / 'folder').mkdir()
    paths = [str(tmp_path / name) for name in sorted(data)]
    workload = received(*paths)
    assert workload.updates == [update for path in paths for update in received(path).updates]
    assert workload.skipped == {**received(paths[1]).skipped, 'OPEN': 1}
    assert workload.name == f'{paths[0]} and 3 more, the routes of the tables up to 50 an UPDATE'
    assert received(str(tmp_path)).updates == workload.updates
    assert {session.opens for session, _ in workload.updates if session.stream} == {(), (opening(1)[19:],)}


def test_one_of_several_files_is_damaged(tmp_path: Path) -> None:
    (tmp_path / 'a').write_bytes(b'text')
    (tmp_path / 'b').write_bytes(MRT)
    (tmp_path / 'c').write_bytes(MRT[:-1])
    workload = received(str(tmp_path))
    assert len(workload.updates) == 10
    first, second = workload.damaged.split('; ')
    assert first.startswith(f'{tmp_path / "a"}: byte 0: ') and second.startswith(f'{tmp_path / "c"}: byte ')


@pytest.mark.parametrize('name', ['messages', 'MRT', 'RIB'])
def test_a_limit(name: str, tmp_path: Path, file: Callable[[bytes], Path]) -> None:
    """What comes behind it is not read, damaged or not."""
    start, end = {
        'messages': (opening(1) + GOBGP.read_bytes()[:221], GOBGP.read_bytes()[221:276]),
        'MRT': (MRT[: MRT.index(b'\x01\x02\x03') - 13], b'damage that is long enough'),
        'RIB': (RIB, rib(4, b'\x18\x20\1\2', (0, NO_HOP), (1, NO_HOP))),
    }[name]
    all_of_it = received(str(file(start)), nlris_per_update=1)
    path = str(file(start + end))
    for limit in range(1, len(all_of_it.updates) + 1):
        limited = received(path, str(tmp_path), limit=limit, nlris_per_update=1)
        assert limited.updates == all_of_it.updates[:limit]
        assert (limited.damaged, limited.zero_next_hops) == ('', 0)
    more = received(path, nlris_per_update=1)
    assert more.damaged or len(more.updates) > len(all_of_it.updates)


def test_a_limit_of_unfilled_updates(file: Callable[[bytes], Path]) -> None:
    path = str(file(PEERS + b''.join(rib(2, bytes((8, 10 + at)), (at % 3, NO_HOP)) for at in range(7))))
    assert [received(path, limit=limit).zero_next_hops for limit in (1, 2, 3, 4)] == [3, 5, 7, 7]
    assert [len(received(path, limit=limit).updates) for limit in (1, 2, 3, 4)] == [1, 2, 3, 3]


def test_two_next_hops_are_one_route(file: Callable[[bytes], Path]) -> None:
    """RFC 2545 section 3: a global and a link-local address."""
    one, two = b'\x20\x20\1\x0d\xb8', b'\x30\x20\1\x0d\xb8\0\1'
    sent = whole((2, 1), HOP6 + LINK_LOCAL, one + two) + NO_HOP
    loaded = _Received(received(str(file(message(pack('!HH', 0, len(sent)) + sent)))))
    seen: list[str] = []
    assert load(loaded, lambda change, _: seen.append(str(change.nlri.nexthop))) == (2, 0)
    assert seen == ['2001:db8::1', 'fe80::1'] * 2 and loaded.routes() == 2


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    """And in pieces, whatever comes first."""
    path = tmp_path / 'pipe'
    os.mkfifo(str(path))
    for data in (MRT, gzip.compress(MRT), GOBGP.read_bytes()[:1000], b''):

        def write(data: bytes = data) -> None:
            with path.open('wb', buffering=0) as pipe:
                for at in range(0, len(data), 7):
                    pipe.write(data[at : at + 7])

        plain = tmp_path / 'plain'
        plain.write_bytes(data)
        thread = threading.Thread(target=write)
        thread.start()
        try:
            bodies_read = [body for _, body in received(str(path)).updates]
        except Problem as problem:
            assert not data and 'no BGP UPDATE' in str(problem)
        else:
            assert bodies_read == bodies(plain)
        thread.join()


@pytest.mark.parametrize('source', ['-', '/dev/stdin', '<(cat {})'])
def test_standard_input(source: str, file: Callable[[bytes], Path]) -> None:
    code = (
        'import sys; from exabgp_intern.report.sources import received\n'
        'for path in sys.argv[1:]: print(len(received(path).updates))'
    )
    path = file(gzip.compress(MRT))
    command = f'cat {path} | {sys.executable} -c "$0" {source.format(path)}'
    done = subprocess.run(['bash', '-c', command, code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ('5\n', '')


def test_zstd(file: Callable[[bytes], Path]) -> None:
    zstandard = pytest.importorskip('zstandard' if sys.version_info < (3, 14) else 'compression.zstd')
    packed = zstandard.compress(MRT[:200]) + zstandard.compress(MRT[200:])
    assert received(str(file(packed))) == received(str(file(MRT)))
    for length in range(4, len(packed)):
        path = file(packed[:length])
        try:
            assert len(received(str(path)).updates) <= 5
        except Problem as problem:
            assert str(problem).startswith((f'{path}: byte ', f'{path}: no BGP UPDATE'))


def test_zstd_without_a_library(
    file: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ('compression.zstd', 'backports.zstd', 'zstandard'):
        monkeypatch.setitem(sys.modules, name, None)
    path = file(b'\x28\xb5\x2f\xfd' + bytes(20))
    assert main(['report', '--updates', str(path)]) == 2
    message = f'exabgp-intern: {path}: compressed by zstd, which needs Python 3.14 or `pip install zstandard`\n'
    assert capsys.readouterr() == ('', message)


def test_a_length_that_no_memory_has(file: Callable[[bytes], Path]) -> None:
    path = file(pack('!IHHI', 1700000000, 16, 4, 0xFFFFFFFF) + bytes(100))
    with pytest.raises(Problem, match='truncated, 100 of the 4294967295 octets'):
        received(str(path))


@pytest.mark.parametrize(
    'arguments, named',
    [
        ('--family vpnv7', "'vpnv7'"),
        ('--routes 0', "'0' is not a number from 1"),
        ('--routes many', "'many'"),
        ('--vrfs -1', "'-1'"),
        ('--labels 1000001', "'1000001'"),
        ('--nlris-per-update 101', "'101' is not a number from 1 to 100"),
        ('--limit 0', "'0' is not a number from 1"),
        ('--plot x.gif', "'x.gif' ends in neither .png nor .svg"),
        ('--config=', '--config: the name of the file is empty'),
        ('--updates a --config b', '--config: not allowed with argument --updates'),
    ],
)
def test_bad_options(arguments: str, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert named in refused(arguments, capsys)


@pytest.mark.parametrize(
    'arguments, problem',
    [
        ('--limit 1', '--limit needs --updates'),
        ('--asn2', '--asn2 needs --updates'),
        ('--add-path ipv4/unicast --family internet', '--add-path needs --updates'),
        ('--config FILE --limit 1', '--limit needs --updates'),
        ('--peers 2', '--peers needs --family internet'),
        ('--family evpn --prefixes-per-update 2', '--prefixes-per-update needs --family internet'),
        ('--family addpath --labels 2', '--labels has no effect with --family addpath'),
        ('--family internet --vrfs 2', '--vrfs has no effect with --family internet'),
        ('--family internet --nlris-per-update 2', '--nlris-per-update has no effect with --family internet'),
        ('--updates FILE --routes 2', '--routes has no effect with --updates'),
        ('--config FILE --family internet', '--family has no effect with --config'),
        ('--commands FILE --nlris-per-update 2', '--nlris-per-update has no effect with --commands'),
        ('--commands FILE --updates FILE', '--commands cannot be used with --updates, which are received routes'),
    ],
)
def test_options_without_effect_are_refused(arguments: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(arguments, capsys) == f'exabgp-intern report: {problem}\n'


def refused(arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the line with which a command line is refused."""
    with pytest.raises(SystemExit) as end:
        main(['report', *arguments.split()])
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == '' and err.count('\n') == 1
    return err
