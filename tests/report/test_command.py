"""The command `exabgp-intern report`, run as a user runs it: what it prints, where to, and its exit code."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from struct import pack
from typing import Any, Sequence

import pytest

import exabgp_intern
from exabgp_intern.installation import DEFAULT
from exabgp_intern.installation import sets as shared_sets
from exabgp_intern.report import figures as report_figures
from exabgp_intern.report.figures import _saving
from exabgp_intern.report.sources import configured
from exabgp_intern.report.synthetic import synthetic
from tests import GOBGP
from tests.report.test_sources import ATTRIBUTES, IPV4_AS4, OTHER, PEERS, bgp4mp, message, record, rib
from tests.support import NO_HOOKS, SLOTS

CONFIGURATION = """
neighbor 192.0.2.1 {
    router-id 192.0.2.2;
    local-address 192.0.2.2;
    local-as 65000;
    peer-as 65000;
    family { ipv4 mpls-vpn; ipv4 unicast; }
    announce {
        ipv4 {
            mpls-vpn 10.0.0.0/24 next-hop 192.0.2.2 rd 65000:1 label 100;
            mpls-vpn 10.0.1.0/24 next-hop self rd 65000:1 label 100;
            unicast 10.1.0.0/16 next-hop 192.0.2.2;
        }
    }
}
"""


BEGUN = ': loading it both ways: '


def run(*arguments: Any, code: str = '', **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `exabgp-intern report` with `arguments`, timed once; `code` is run before it in the same process."""
    start = 'import sys; from exabgp_intern.__main__ import main; sys.exit(main())'
    command = [sys.executable, '-c', f'{code}\n{start}', 'report', '--repeat', '1', *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def figures(*arguments: Any, expected: int = 0, **options: Any) -> Any:
    done = run(*arguments, '--json', **options)
    assert done.returncode == expected, done.stderr
    return json.loads(done.stdout)


def fails(done: subprocess.CompletedProcess[str], *words: str, stdout: bool = False) -> None:
    """Hold `done` to exit code 2 and one line with all of `words`, behind the one that says what is begun, if any."""
    assert done.returncode == 2
    assert bool(done.stdout) == stdout
    *begun, line = done.stderr.splitlines()
    assert [BEGUN in each for each in begun] in ([], [True])
    assert line.startswith('exabgp-intern: ')
    assert all(word in line for word in words), done.stderr


def well(done: subprocess.CompletedProcess[str]) -> None:
    """Hold `done` to exit code 0, and to nothing but what is begun on standard error."""
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith('exabgp-intern: ') and done.stderr.count('\n') == 1 and BEGUN in done.stderr


@pytest.fixture(scope='module')
def gobgp(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    picture = tmp_path_factory.mktemp('gobgp') / 'picture.png'
    done = run('--updates', GOBGP, '--add-path', 'ipv4/unicast', '--json', '--plot', picture)
    well(done)
    return json.loads(done.stdout), picture


def test_gobgp_prints_the_same(gobgp: tuple[dict[str, Any], Path]) -> None:
    seen, _ = gobgp
    assert seen['same_output'] is True
    assert seen['stock']['digest'] == seen['interned']['digest']
    assert (seen['decoded'], seen['routes'], seen['refused'], seen['skipped']) == (2017, 2017, 0, 0)
    assert seen['damaged'] is None


def test_gobgp_objects(gobgp: tuple[dict[str, Any], Path]) -> None:
    seen, _ = gobgp
    classes = seen['classes']
    assert list(classes) == [*DEFAULT, 'Attributes', 'PathAttributes']
    # of 2,017 routes in 1,718 UPDATEs
    sets = classes.pop('Attributes')
    assert sets['stock_objects'] == sets['constructions'] == 1718
    assert 10 < sets['interned_objects'] <= 20  # each once apart, and then shared
    assert sets['sharing'] > 100
    assert sets['hit_rate'] > 0.98
    parts = classes.pop('PathAttributes')
    assert parts['interned_objects'] < 40 < 1718 * 2 < parts['stock_objects'] <= parts['constructions']
    assert parts['hit_rate'] > 0.98
    # 10 route distinguishers and 7 ESIs, say the notes that came with the file
    assert classes['RouteDistinguisher']['interned_objects'] == 10
    assert classes['ESI']['interned_objects'] == 7
    for name, counts in classes.items():
        # a next hop outside of MP_REACH_NLRI is one for all routes of its UPDATE, in ExaBGP too
        held = 2017 if name == 'NextHop' else counts['stock_objects']
        assert counts['sharing'] == held / counts['interned_objects'] > 10
        assert counts['constructions'] >= counts['stock_objects']
        assert 0.9 < counts['hit_rate'] <= 1 - counts['interned_objects'] / counts['constructions']


def test_gobgp_costs(gobgp: tuple[dict[str, Any], Path]) -> None:
    seen, _ = gobgp
    for key in ('traced', 'microseconds'):
        stock, interned = (seen[way][key] for way in ('stock', 'interned'))
        assert stock > 0 and interned > 0
        # one load has no spread
        assert seen['saving'][key] == (None if key == 'microseconds' else pytest.approx(1 - interned / stock))
    assert 0.5 < seen['saving']['traced'] < 0.9
    # 2,017 routes are too few
    assert seen['saving']['resident'] is seen['stock']['resident'] is seen['stock']['peak'] is None


def test_plot_png(gobgp: tuple[dict[str, Any], Path]) -> None:
    assert gobgp[1].read_bytes().startswith(b'\x89PNG')


def test_vpnv4_in_a_table_without_progress(tmp_path: Path) -> None:
    picture = tmp_path / 'picture.svg'
    done = run('--routes', 2000, '--plot', picture, env={**os.environ, 'PYTHONIOENCODING': 'ascii', 'COLUMNS': '50'})
    well(done)
    assert done.stdout.isascii() and '\x1b' not in done.stdout
    rows = [line.replace('|', ' ').split() for line in done.stdout.splitlines()]
    assert ['RouteDistinguisher', '2,000', '10', '200.0', '99.50%'] in rows
    assert ['Labels', '2,000', '100', '20.0', '95.00%'] in rows
    assert ['ESI', '0', '0', '-', '-'] in rows
    assert 'traced bytes a route' in done.stdout and 'both ways print the same' in done.stdout
    assert 'resident bytes a route' not in done.stdout and 'resident bytes: not measured' in done.stdout
    assert '<svg' in picture.read_text()


def test_vpnv4_saves_memory() -> None:
    seen = figures('--routes', 21_000)
    assert (seen['routes'], seen['traced_routes'], seen['repeats']) == (21_000, 20_000, 1)
    assert seen['saving']['traced'] > (0.33 if SLOTS else 0.38)
    assert seen['saving']['resident'] > 0.3
    # one load has no spread
    assert seen['stock']['microseconds'] == seen['stock']['microseconds_worst']


@pytest.mark.parametrize('family, name', [('labelled', 'Labels'), ('evpn', 'ESI'), ('addpath', 'PathInfo')])
def test_families(family: str, name: str) -> None:
    labels = () if family == 'addpath' else ('--labels', 5)
    seen = figures('--family', family, '--routes', 300, '--vrfs', 3, *labels)
    assert (seen['routes'], seen['refused'], seen['same_output']) == (300, 0, True)
    values = {'Labels': 5, 'ESI': 3, 'PathInfo': 16}[name]
    assert seen['classes'][name]['stock_objects'] == 300
    assert seen['classes'][name]['interned_objects'] == values
    assert seen['classes'][name]['hit_rate'] == 1 - values / 300


def update(prefix: bytes, withdrawn: bytes = b'') -> bytes:
    attributes = b'\x40\1\1\0\x40\2\0\x40\3\4\xc0\0\2\1' if prefix else b''
    return pack('!H', len(withdrawn)) + withdrawn + pack('!H', len(attributes)) + attributes + prefix


def test_what_is_refused_replaced_and_withdrawn(tmp_path: Path) -> None:
    first, second = b'\0\0\0\1\x18\x0a\0\0', b'\0\0\0\2\x18\x0a\0\1'
    bodies = (
        update(first),
        update(second),
        update(second),
        update(b'', first),
        bytes(4),
        update(second + b'\0\0'),
        b'\1' * 9,
    )
    path = tmp_path / 'updates'
    path.write_bytes(b''.join(map(message, bodies)) + message(b'', 4))
    seen = figures('--updates', path, '--add-path', 'ipv4/unicast')
    assert [seen[key] for key in ('decoded', 'routes', 'refused', 'skipped')] == [4, 1, 2, 1]
    assert seen['same_output'] is True


def test_attributes_of_srv6_are_decoded_in_both_ways(tmp_path: Path) -> None:
    """RFC 9252 section 2: ExaBGP decodes them where its daemon runs, not where only an UPDATE is decoded."""
    sid = b'\0\1\0\x1e\0' + b'\xfc' + bytes(15) + b'\0\0\x12\0\1\0\6\x20\x10\x10\0\x10\x30'
    service = b'\5' + pack('!HB', len(sid) + 1, 0) + sid
    attributes = b'\x40\1\1\0\x40\2\0\x40\3\4\xc0\0\2\1\xc0\x28' + bytes([len(service)]) + service
    path = tmp_path / 'updates'
    path.write_bytes(message(pack('!HH', 0, len(attributes)) + attributes + b'\x18\x0a\0\0'))
    seen = figures('--updates', path)
    assert (seen['routes'], seen['same_output']) == (1, True)


@pytest.mark.skipif(NO_HOOKS, reason='ExaBGP 5.0.1 has other words')
def test_refusals_by_reason(tmp_path: Path) -> None:
    """The most frequent first."""
    path = tmp_path / 'updates'
    path.write_bytes(b''.join(map(message, [b'\1' * 9, update(b'\x30\x0a'), update(b'\x31\x0a'), update(b'\x08\x0a')])))
    path.write_bytes(path.read_bytes() + message(update(b'\x31\x0a')))
    seen = figures('--updates', path)
    head = 'UPDATE message error / '
    assert [*seen['refusals'].items()] == [
        (f'{head}Invalid Network Field / invalid mask 49 in NLRI prefix for ipv4', 2),
        (f'{head}Malformed Attribute List / invalid withdrawn routes length, not enough data available', 1),
        (f'{head}Invalid Network Field / invalid mask 48 in NLRI prefix for ipv4', 1),
    ]
    assert (seen['refused'], seen['routes']) == (4, 1)
    lines = run('--updates', path).stdout.splitlines()
    first = lines.index(f'refused: 2 with: {head}Invalid Network Field / invalid mask 49 in NLRI prefix for ipv4')
    assert lines[first + 2].startswith('refused: 1 with: ')


def test_no_route_is_left(tmp_path: Path) -> None:
    path = tmp_path / '[red]$nothing$ \u00e9'
    path.write_bytes(message(bytes(4)))
    picture = tmp_path / 'x.svg'
    done = run('--updates', path, '--plot', picture, env={**os.environ, 'PYTHONIOENCODING': 'ascii'})
    fails(done, '[red]$nothing$ \\xe9: no route was loaded')
    assert not picture.exists()


def test_mrt(tmp_path: Path) -> None:
    path = tmp_path / 'dump.mrt'
    path.write_bytes(record(bgp4mp(update(b'\0\0\0\1\x18\x0a\0\0'), IPV4_AS4), 9))
    seen = figures('--updates', path)
    assert (seen['routes'], seen['same_output']) == (1, True)
    assert seen['classes']['PathInfo']['stock_objects'] == 1


def test_rib_dump(tmp_path: Path) -> None:
    path = tmp_path / 'rib.mrt'
    prefixes = [bytes((24, 10, 0, number)) for number in range(200)]
    path.write_bytes(PEERS + b''.join(rib(2, prefix, (0, ATTRIBUTES), (2, OTHER)) for prefix in prefixes))
    for number in (50, 1):
        seen = figures('--updates', path, '--nlris-per-update', number)
        assert (seen['routes'], seen['refused'], seen['same_output']) == (400, 0, True)
        # ExaBGP takes the attributes of the UPDATE before, where it had the same and no MP_REACH_NLRI; the first
        # releases only if no other session had one in between
        assert seen['classes']['NextHop']['stock_objects'] in ((8, 400) if NO_HOOKS else (2,))
        assert seen['classes']['NextHop']['interned_objects'] == 1
        assert seen['workload'] == f'{path}, the routes of the tables up to {number} an UPDATE'
    path.write_bytes(path.read_bytes()[:-1])
    done = run('--updates', path)
    fails(done, f'{path}: byte ', ': truncated, ', stdout=True)
    assert 'NLRIs decoded: 398; routes held: 398' in done.stdout


def test_withdrawn_routes_count_for_time_and_not_for_memory(tmp_path: Path) -> None:
    path = tmp_path / 'updates'
    prefixes = b''.join(b'\x18\x0a\0' + bytes([number]) for number in range(10))
    path.write_bytes(message(update(prefixes)) + message(update(b'', prefixes[:-4])) * 3)
    seen = figures('--updates', path)
    assert (seen['decoded'], seen['routes'], seen['traced_routes'], seen['traced_all']) == (37, 1, 1, True)


def test_standard_output_that_takes_no_more(tmp_path: Path) -> None:
    with open('/dev/full', 'w') as full:
        command = 'import sys; from exabgp_intern.__main__ import main; sys.exit(main())'
        arguments = [sys.executable, '-c', command, 'report', '--routes', '10', '--repeat', '1']
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and done.stderr.splitlines()[1:] == [
        'exabgp-intern: standard output: No space left on device'
    ]
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(arguments, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    assert done.returncode == 128 + signal.SIGPIPE and BEGUN in done.stderr and done.stderr.count('\n') == 1


def test_a_picture_that_cannot_be_written(tmp_path: Path) -> None:
    directory = tmp_path / 'x.png'
    directory.mkdir()
    for path in (directory, tmp_path / 'none' / 'x.SVG'):
        done = run('--routes', 10, '--plot', path)
        fails(done, f'{path}: no file can be written there')
        assert BEGUN not in done.stderr


def test_each_refused_command_has_its_own_reason(tmp_path: Path) -> None:
    path = tmp_path / 'commands'
    good = 'announce route 10.0.0.0/24 next-hop 192.0.2.9\n'
    path.write_text(good + 'announce route 10.0.6.0/24 next-hop many\nannounce nothing\n')
    seen = figures('--commands', path)
    assert (seen['refused'], len(seen['refusals']), [*seen['refusals']][1]) == (2, 2, 'announce nothing')


def test_a_limit() -> None:
    seen = figures('--updates', GOBGP, '--add-path', 'ipv4/unicast', '--limit', 20)
    assert (seen['decoded'], seen['routes'], seen['refused'], seen['damaged']) == (20, 20, 0, None)


def test_a_configuration_that_is_not_traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'exabgp.conf'
    path.write_text(CONFIGURATION)
    monkeypatch.setattr(report_figures, 'FEW', 3)
    for most, traced in ((3, 3), (2, None)):
        monkeypatch.setattr(report_figures, 'SAMPLE', most)
        seen = report_figures.measured(configured(str(path)), 1, lambda loads: None)
        assert (seen['routes'], seen['traced_routes'], seen['same_output']) == (3, traced, True)
        assert (seen['stock']['traced'] is None) is (seen['saving']['traced'] is None) is (traced is None)
        assert seen['stock']['resident'] > 0 and seen['stock']['peak'] > 0


@pytest.mark.parametrize('repeat, long, repeats, loads', [(None, 10, 3, 10), (None, 0, 2, 8), (1, 0, 1, 6)])
def test_what_is_timed(
    repeat: int | None, long: float, repeats: int, loads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(report_figures, 'LONG', long)
    seen = report_figures.measured(synthetic('vpnv4', 10, 1, 1), repeat, told.append)
    assert (seen['repeats'], len(told), told[-1]) == (repeats, loads, loads)


def test_a_difference_that_is_none() -> None:
    stock = {'microseconds': 10.0, 'microseconds_worst': 12.0, 'traced': 10.0}
    for best, worst, saved in ((11.0, 13.0, 0), (9.0, 10.0, 0), (8.0, 9.0, 0.2), (13.0, 14.0, -0.3)):
        interned = {'microseconds': best, 'microseconds_worst': worst, 'traced': 9.0}
        assert _saving('microseconds', 3, stock, interned) == pytest.approx(saved)
        assert _saving('traced', 3, stock, interned) == pytest.approx(0.1)
        assert _saving('microseconds', 1, stock, interned) is None


def test_one_route_an_update() -> None:
    seen = figures('--routes', 300, '--nlris-per-update', 1)
    assert (seen['routes'], seen['refused'], seen['same_output']) == (300, 0, True)
    assert seen['workload'].endswith(', 1 an UPDATE')
    assert seen['stock']['traced'] > 1.5 * figures('--routes', 300)['stock']['traced']


def test_a_table_of_the_internet() -> None:
    seen = figures('--family', 'internet', '--routes', 3000, '--peers', 2, '--prefixes-per-update', '2.5')
    assert (seen['routes'], seen['refused'], seen['same_output']) == (6000, 0, True)
    assert seen['saving']['traced'] > 0.25
    parts = seen['classes']['PathAttributes']
    assert parts['stock_objects'] > 1.5 * parts['interned_objects'] and parts['hit_rate'] > 0.4


def test_configuration(tmp_path: Path) -> None:
    path = tmp_path / 'exabgp.conf'
    path.write_text(CONFIGURATION)
    seen = figures('--config', path)
    assert (seen['routes'], seen['same_output']) == (3, True)
    # ExaBGP 5.0 copies each route that is configured
    assert seen['classes']['RouteDistinguisher']['stock_objects'] == (2 if SLOTS else 4)
    assert seen['classes']['RouteDistinguisher']['interned_objects'] == 1
    sets = seen['classes']['Attributes']
    assert (sets['stock_objects'], sets['interned_objects']) == (6, 1)
    assert sets['hit_rate'] == 2 / 3


def test_error_in_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / 'exabgp.conf'
    for wrong, line in (('label 100', 10), ('10.1.0.0/16', 12), ('local-as 65000', 5)):
        path.write_text('# a line without a statement\n' + CONFIGURATION.replace(wrong, 'many'))
        fails(run('--config', path), f'{path}: ', f' line {line + 1}: ', 'many')
    path.write_bytes(b'\xff\xfe')
    fails(run('--config', path), str(path), 'line 0')


def test_truncated(tmp_path: Path) -> None:
    """What came before is reported, and marked; the table and JSON are whole."""
    path = tmp_path / 'updates'
    path.write_bytes(GOBGP.read_bytes()[:1000])
    done = run('--updates', path, '--json')
    fails(done, f'{path}: byte 991: truncated, 9 of the 19 octets', stdout=True)
    seen = json.loads(done.stdout)
    assert seen['routes'] > 10 and f'{path}: byte 991' in seen['damaged']
    done = run('--updates', path)
    fails(done, f'{path}: byte 991: ', stdout=True)
    assert f'DAMAGED INPUT: {path}: byte 991: ' in done.stdout


def test_an_exit_code_out_of_a_process_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / 'text'
    path.write_text('not BGP at all\n')
    fails(run('--updates', path), f'{path}: byte 0: ')


@pytest.mark.parametrize('module', ['rich', 'psutil', 'matplotlib', 'mrtparse'])
def test_missing_extra(module: str, tmp_path: Path) -> None:
    dump = tmp_path / 'dump.mrt'
    dump.write_bytes(record(bgp4mp(bytes(4))))
    arguments = {'matplotlib': ['--plot', 'x.png'], 'mrtparse': ['--updates', dump]}.get(module, [])
    done = run(*arguments, code=f'import sys; sys.modules[{module!r}] = None', cwd=str(tmp_path))
    fails(done, f'no {module} ', 'pip install "exabgp-intern[report]"')


def test_a_difference_is_seen(tmp_path: Path) -> None:
    """A canonical class that prints label 17 wrongly, which install() does not try."""
    copy = Path(exabgp_intern.__file__).parent
    shutil.copytree(str(copy), str(tmp_path / copy.name), ignore=shutil.ignore_patterns('__pycache__'))
    with (tmp_path / copy.name / 'qualifier' / 'labels.py').open('a') as file:
        file.write("\n\n_json = Labels.json\nLabels.json = lambda self: _json(self).replace('17', '18')\n")
    planted = {'env': {**os.environ, 'PYTHONPATH': str(tmp_path)}, 'cwd': str(tmp_path)}
    done = run('--routes', 100, '--json', **planted)
    seen = json.loads(done.stdout)
    assert (done.returncode, seen['same_output']) == (1, False)
    assert seen['stock']['digest'] != seen['interned']['digest']
    done = run('--routes', 100, **planted)
    assert done.returncode == 1
    assert 'THE TWO WAYS DO NOT PRINT THE SAME' in done.stdout and 'both ways print the same' not in done.stdout
    done = run('--routes', 1, **planted)  # there is no label 17 in one route
    assert done.returncode == 0


def test_nothing_is_imported_from_the_current_directory(tmp_path: Path) -> None:
    """Nor by the processes that the report starts."""
    (tmp_path / 'json.py').write_text('raise SystemExit(9)')
    (tmp_path / 'exabgp.py').write_text('raise SystemExit(9)')
    program = tmp_path / 'bin' / 'exabgp-intern'
    program.parent.mkdir()
    program.write_text('import sys; from exabgp_intern.__main__ import main; sys.exit(main())')
    done = subprocess.run(
        [sys.executable, str(program), 'report', '--routes', '10'],
        cwd=str(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout


def test_progress_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    code = 'import sys; from exabgp_intern.__main__ import main; sys.exit(main())'
    command = [sys.executable, '-c', code, 'report', '--routes', '10']
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, 'TERM': 'xterm'}
    ) as process:
        os.close(theirs)
        shown = b''
        try:
            while True:
                shown += os.read(ours, 1 << 16)
        except OSError:  # what Linux says once the other end is closed
            pass
        os.close(ours)
        assert process.stdout
        out = process.stdout.read()
    assert process.returncode == 0
    assert b'measuring' in shown and b'100%' in shown
    assert b'measuring' not in out


@pytest.mark.parametrize('arguments', [['--help'], ['report', '--help']])
def test_help_imports_nothing_more(arguments: Sequence[str]) -> None:
    code = (
        'import sys; from exabgp_intern.__main__ import main\n'
        'try: main()\n'
        "finally: assert not {'exabgp', 'rich', 'psutil', 'matplotlib', 'mrtparse'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, '-c', code, *arguments], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b'')
    assert b'report' in done.stdout


COMMANDS = """\
# comments and empty lines do not count

announce route 10.0.0.0/24 next-hop 192.0.2.9 med 5
announce route 10.0.1.0/24 next-hop 192.0.2.9   med 5
announce attributes next-hop 192.0.2.9 med 5 nlri 10.0.2.0/24 10.0.3.0/24
neighbor 192.0.2.77 announce route 10.0.4.0/24 rd 65000:1 label 100 next-hop 192.0.2.9
announce flow route { match { destination 10.0.5.0/24; } then { discard; } }
withdraw route 10.0.1.0/24 next-hop 192.0.2.9
announce route 10.0.6.0/24 next-hop many
show neighbor summary
"""


def test_commands(tmp_path: Path) -> None:
    path = tmp_path / 'commands'
    path.write_text(COMMANDS)
    seen = figures('--commands', path)
    assert (seen['source'], seen['same_output']) == ('commands', True)
    assert (seen['decoded'], seen['refused'], seen['skipped'], seen['routes']) == (6, 1, 1, 5)
    sets = seen['classes']['Attributes']
    if 'Announced' in shared_sets():
        assert sets['interned_objects'] == 3 < sets['stock_objects'] == 5
    done = run('--commands', path)
    assert 'commands: 6; routes held, of all neighbors: 5; commands that ExaBGP refused: 1' in done.stdout


def test_commands_for_the_neighbors_of_a_configuration(tmp_path: Path) -> None:
    path, config = tmp_path / 'commands', tmp_path / 'exabgp.conf'
    path.write_text(COMMANDS)
    config.write_text(CONFIGURATION.replace('local-as', 'adj-rib-out true; local-as'))
    seen = figures('--commands', path, '--config', config)
    # that of another neighbor and that of another family are refused, or not for a neighbor
    assert seen['same_output'] is True
    assert (seen['routes'], seen['decoded'] + seen['refused']) == (3 + 3, 7)
    assert figures('--commands', path.name, '--config', config.name, cwd=tmp_path)['routes'] == 6


def test_commands_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / 'commands'
    fails(run('--commands', path), str(path), 'No such file')
    path.write_text('show neighbor\n')
    fails(run('--commands', path), 'no line of it announces or withdraws')
    path.write_text('announce route 10.0.0.0/24 next-hop many\n')
    nothing = f'{path}: no route was loaded: ExaBGP refused 1 of 1 command, the first with: '
    fails(run('--commands', path), nothing, 'many')
    fails(run('--commands', path, '--config', tmp_path / 'none'), 'none: No such file')
    path.write_bytes(b'announce route \xff\xfe next-hop 192.0.2.1\n\0\n')
    fails(run('--commands', path), 'ExaBGP refused 1 of 1 command, the first with: ')
