"""Where the routes of a report come from: what is read from a file, and what is refused, and in which words."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from struct import pack, unpack_from
from typing import Any, Callable

import pytest

from exabgp_intern.__main__ import main
from exabgp_intern.measure import _Received
from exabgp_intern.workload import ADD_PATH, FAMILIES, IPV4_UNICAST, Problem, received, synthetic

GOBGP = Path(__file__).parent / 'data' / 'gobgp.bgp'

IPV4 = pack('!HH', 65001, 65000), b'\0\0\0\1', bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
IPV4_AS4 = pack('!II', 65001, 65000), *IPV4[1:]
IPV6_AS4 = pack('!II', 65001, 65000), b'\0\0\0\2', b'\x20' + bytes(15), b'\x20' + bytes(14) + b'\1'


def message(body: bytes, kind: int = 2) -> bytes:
    return b'\xff' * 16 + pack('!HB', 19 + len(body), kind) + body


def record(data: bytes, subtype: int = 4, kind: int = 16) -> bytes:
    """Return an MRT record, RFC 6396 section 2; by default of type BGP4MP, subtype BGP4MP_MESSAGE_AS4."""
    return pack('!IHHI', 1700000000, kind, subtype, len(data)) + data


def bgp4mp(body: bytes, head: Any = IPV4_AS4, kind: int = 2) -> bytes:
    return b''.join(head) + message(body, kind)


def bodies(path: Path) -> list[bytes]:
    return [body for _, body in received(str(path)).updates]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / 'input'
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize('family', FAMILIES)
def test_synthetic_routes_are_different_and_exabgp_reads_them_all(family: str) -> None:
    workload = synthetic(family, 1234, 7, 30)
    loader = _Received(workload)
    assert loader.load() == (1234, 0)
    assert loader.routes() == 1234
    values: dict[str, set[str]] = {}
    for nlri in loader.nlris():
        for name, value in vars(nlri).items():
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


def test_messages_of_gobgp() -> None:
    workload = received(str(GOBGP))
    assert (len(workload.updates), workload.skipped, workload.truncated) == (1756, 0, '')
    assert {session for session, _ in workload.updates} == {(b'', True, (IPV4_UNICAST,))}
    assert b''.join(message(body) for _, body in workload.updates) == GOBGP.read_bytes()
    loader = _Received(workload)
    assert loader.load() == (2017, 0)


def test_what_is_no_update_is_skipped(file: Callable[[bytes], Path]) -> None:
    workload = received(str(file(message(b'', 4) + message(bytes(4)) + message(b'\6\4', 3))))
    assert [body for _, body in workload.updates] == [bytes(4)]
    assert workload.skipped == 2


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
    assert [(tuple(session), len(body)) for session, body in workload.updates] == [
        ((peer, False, ()), 4),
        ((peer_as4, True, ()), 5),
        ((peer, False, ADD_PATH), 6),
        ((IPV6_AS4[0][:4] + IPV6_AS4[2], True, ADD_PATH), 7),
        ((peer_as4, True, ()), 8),
    ]
    assert (workload.skipped, workload.truncated) == (3, '')


@pytest.mark.parametrize('pack_with', [gzip.compress, bz2.compress], ids=['gzip', 'bzip2'])
def test_mrt_packed(file: Callable[[bytes], Path], pack_with: Callable[[bytes], bytes]) -> None:
    plain = received(str(file(MRT)))
    assert received(str(file(pack_with(MRT)))) == plain


def as_path(asn4: bool) -> bytes:
    asns = pack('!BBII' if asn4 else '!BBHH', 2, 2, 65001, 65002)
    attributes = b'\x40\1\1\0' + pack('!BBB', 0x40, 2, len(asns)) + asns + b'\x40\3\4\xc0\0\2\1'
    return pack('!HH', 0, len(attributes)) + attributes


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
    assert loader.load(lambda change, negotiated: seen.append((str(change), change.nlri.pack(negotiated)))) == (5, 0)
    assert loader.routes() == 5
    assert all('as-path ( 65001 65002 )' in shown for shown, _ in seen)
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
            assert (
                workload.truncated == '' if length in ends else f'{path}: byte {ends[before]}: ' in workload.truncated
            )
        else:
            with pytest.raises(Problem, match='input: byte 0: '):
                received(str(path))


@pytest.mark.parametrize('pack_with', [bytes, gzip.compress, bz2.compress], ids=['plain', 'gzip', 'bzip2'])
def test_a_dump_cut_at_any_byte(file: Callable[[bytes], Path], pack_with: Callable[[bytes], bytes]) -> None:
    packed, all_of_it = pack_with(MRT), received(str(file(MRT))).updates
    cut = 0
    for length in range(len(packed)):
        path = file(packed[:length])
        try:
            workload = received(str(path))
        except Problem as problem:
            assert str(problem).startswith(f'{path}: byte ')
        else:
            assert workload.updates == all_of_it[: len(workload.updates)]
            cut += f'{path}: byte ' in workload.truncated
    assert cut or pack_with is bz2.compress  # bzip2 unpacks a block as a whole or not at all


@pytest.mark.parametrize(
    'data',
    [GOBGP.read_bytes()[:400], MRT, gzip.compress(MRT), bz2.compress(MRT)],
    ids=['messages', 'plain', 'gzip', 'bzip2'],
)
def test_a_wrong_byte_anywhere_is_a_problem_or_is_not_seen(file: Callable[[bytes], Path], data: bytes) -> None:
    for at in range(len(data)):
        path = file(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        try:
            received(str(path))
        except Problem as problem:
            assert str(problem).startswith(f'{path}: byte ')


GOOD = message(bytes(4))
LONG = record(bgp4mp(bytes(4))[:-1])
BAD_FILES = {
    'empty': (b'', 'byte 0: no BGP UPDATE'),
    'text': (b'neighbor 192.0.2.1 {\n}\n', 'byte 0: neither a BGP message nor an MRT record'),
    'only a keepalive': (message(b'', 4), 'byte 0: no BGP UPDATE'),
    'marker': (GOOD + b'\xff' * 15 + b'\0' + GOOD[16:], 'byte 23: no BGP marker'),
    'marker of a cut header': (GOOD + b'\xff\xff\0', 'byte 23: no BGP marker'),
    'length below the header': (GOOD + b'\xff' * 16 + b'\0\x12\2', 'byte 23: a BGP message of type 2 cannot'),
    'length below an UPDATE': (GOOD + b'\xff' * 16 + b'\0\x16\2', 'byte 23: a BGP message of type 2 cannot'),
    'first message cut': (GOOD[:-1], 'byte 0: truncated, 22 of the 23 octets of a BGP message'),
    'first record cut': (MRT[:40], 'byte 0: truncated, 28 of the '),
    'MRT header cut': (MRT[:11], 'byte 0: truncated, 11 of the 12 octets of an MRT header'),
    'unknown MRT type': (record(bgp4mp(bytes(4))) + record(b'', kind=99), 'byte 55: neither a BGP message'),
    'table dump': (record(b'', 1, kind=13), 'byte 0: MRT TABLE_DUMP_V2 is not read, only BGP4MP'),
    'old table dump': (record(b'', 1, kind=12), 'byte 0: MRT TABLE_DUMP is not read, only BGP4MP'),
    'length in a record': (LONG, 'byte 0: a BGP message of length 23 in a record that has 22 octets for it'),
    'marker in a record': (record(b''.join(IPV4_AS4) + bytes(23)), 'byte 0: no BGP marker'),
    'record too short for one': (record(b'\0' * 7), 'byte 0: a BGP message of length 19 in a record'),
    'gzip of text': (gzip.compress(b'no records here'), 'byte 0: neither a BGP message nor an MRT record'),
    'not quite gzip': (b'\x1f\x8b' + bytes(20), 'byte 0: '),
    'not quite bzip2': (b'BZh' + bytes(20), 'byte 0: '),
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


@pytest.mark.parametrize('option', ['--updates', '--config'])
def test_no_file(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, reason in ((tmp_path / 'none', 'No such file or directory'), (tmp_path, 'Is a directory')):
        assert main(['report', option, str(path)]) == 2
        assert capsys.readouterr() == ('', f'exabgp-intern: {path}: {reason}\n')


@pytest.mark.parametrize(
    'arguments, named',
    [
        ('--family vpnv7', "'vpnv7'"),
        ('--routes 0', "'0' is not a number from 1"),
        ('--routes many', "'many'"),
        ('--vrfs -1', "'-1'"),
        ('--labels 1000001', "'1000001'"),
        ('--plot x.gif', "'x.gif' ends in neither .png nor .svg"),
        ('--updates a --config b', '--config: not allowed with argument --updates'),
    ],
)
def test_bad_options(arguments: str, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(['report', *arguments.split()])
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == '' and named in err and err.count('\n') == 1
