"""`exabgp-intern run` and `doctor`: ExaBGP's own program, whatever becomes of the interning."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exabgp_intern import stats
from exabgp_intern.daemon import run as module_of_run
from exabgp_intern.daemon.doctor import SHARED
from exabgp_intern.daemon.metrics import METRICS, StatsFile, text, write
from exabgp_intern.installation import CLASSES, DEFAULT, SETS
from tests import ROOT
from tests.daemon.daemons import INTERNED, STOCK, ExaBGP, receiving, wait_for
from tests.support import OURS

SCRIPT = (str(Path(sys.executable).parent / 'exabgp-intern'), 'run')


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.lower().startswith('exabgp')}
    environment = {**environment, 'PYTHONPATH': str(ROOT), **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def ended(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    """Return what became of a program, without its time and its process."""
    json = re.sub(r'"(time|pid)" ?: [\d.]+', '', done.stdout)
    return done.returncode, json, re.sub(r'\d\d:\d\d:\d\d|\d+(?= +\| )', '', done.stderr)


@pytest.mark.parametrize(
    'line',
    [
        '',
        '--help',
        'server --help',
        'server /nowhere/exabgp.conf',
        '/nowhere/exabgp.conf',
        'version',
        'env',
        'cli --help',
        'validate /nowhere',
        '--bogus',
        '--strict',
        'decode ffffffffffffffffffffffffffffffff0017020000000000',
    ],
)
def test_the_command_line_is_that_of_exabgp(line: str) -> None:
    arguments = line.split()
    stock = ended(run(*STOCK, *arguments))
    if '--strict' in arguments:  # which is ours here, and then there are none
        stock = ended(run(*STOCK))
    assert ended(run(*INTERNED, *arguments)) == stock
    if not line:
        assert ended(run(*SCRIPT)) == stock


def test_a_bad_setting_of_exabgp_is_refused_alike() -> None:
    bad = {'exabgp_tcp_port': 'many'}
    stock, interned = (run(*program, 'version', 'x', **bad) for program in (STOCK, INTERNED))
    assert interned.returncode == stock.returncode != 0
    assert interned.stderr.splitlines()[-1] == stock.stderr.splitlines()[-1]
    stock, interned = (run(*program, 'server', 'x', **bad) for program in (STOCK, INTERNED))
    assert interned.returncode == stock.returncode == 1
    assert interned.stderr.splitlines()[-1] == stock.stderr.splitlines()[-1]
    assert 'many' in stock.stderr


def where(*command: str, cwd: Path | None = None, **variables: str) -> str:
    """Return the line of ExaBGP's output that tells where it looks for its settings."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, 'PYTHONPATH': str(ROOT), **variables}, capture_output=True, text=True
    )
    return next(line for line in (done.stdout + done.stderr).splitlines() if 'exabgp env >' in line)


def test_exabgp_finds_its_files_as_when_started_by_its_own_program(tmp_path: Path) -> None:
    conf = tmp_path / 'broken.conf'
    conf.write_text('broken')
    stock = where(*STOCK, 'server', str(conf))
    assert where(*INTERNED, 'server', str(conf)) == stock
    assert where(*SCRIPT, 'server', str(conf)) == stock
    # by a link elsewhere
    (tmp_path / 'sbin').mkdir()
    for program in ('exabgp', 'exabgp-intern'):
        (tmp_path / 'sbin' / program).symlink_to(Path(sys.executable).parent / program)
    stock = where(str(tmp_path / 'sbin' / 'exabgp'), 'server', str(conf))
    assert str(tmp_path / 'etc') in stock
    assert where(str(tmp_path / 'sbin' / 'exabgp-intern'), 'run', 'server', str(conf)) == stock
    assert where('sbin/exabgp-intern', 'run', 'server', str(conf), cwd=tmp_path) == stock
    stock = where(*STOCK, 'server', str(conf), EXABGP_ROOT=str(tmp_path))
    assert where(*INTERNED, 'server', str(conf), EXABGP_ROOT=str(tmp_path)) == stock


SHAPE = """
import sys
import exabgp.bgp.message.update.nlri.qualifier.rd as rd
stock = rd.RouteDistinguisher.__init__
rd.RouteDistinguisher.__init__ = lambda self, octets: stock(self, octets)
from exabgp_intern.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
UNKNOWN = (sys.executable, '-c', SHAPE, 'run')
NO_SETS = """
import sys
from exabgp.bgp.message.update.attribute import Attributes
Attributes.unpack = classmethod(lambda cls, octets: None)
from exabgp_intern.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
UNSHARED = (sys.executable, '-c', NO_SETS, 'run')
NOT_SECONDS = 'is not a number of seconds above 0'


@pytest.mark.parametrize(
    ('program', 'options', 'problem'),
    [
        (UNKNOWN, (), 'nothing interned: RouteDistinguisher of ExaBGP'),
        (INTERNED, ('--classes', 'Nonsense'), "nothing interned: unknown class 'Nonsense'"),
        (UNSHARED, ('--classes', 'Attributes'), 'Attributes cannot be shared in ExaBGP 5.'),
        (UNSHARED, ('--classes=Labels,Announced,Attributes',), 'Attributes cannot be shared in ExaBGP 5.'),
        (INTERNED, ('--stats-file=/tmp/x', '--stats-every', '-1'), f"no stats file: --stats-every '-1' {NOT_SECONDS}"),
        (INTERNED, ('--stats-file=/tmp/x', '--stats-every=inf'), f"no stats file: --stats-every 'inf' {NOT_SECONDS}"),
        (INTERNED, ('--stats-file=/tmp/x', '--stats-every=soon'), f"no stats file: --stats-every 'soon' {NOT_SECONDS}"),
    ],
)
def test_what_cannot_be_interned_is_one_line_and_exabgp_runs(program: Any, options: Any, problem: str) -> None:
    done = run(*program, *options, 'version')
    assert done.returncode == 0
    assert done.stdout == run(*STOCK, 'version').stdout
    assert done.stderr.startswith(f'exabgp-intern: {problem}')
    assert done.stderr.count('\n') == 1
    done = run(*program, '--strict', *options, 'version')
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.startswith(f'exabgp-intern: {problem}')
    assert done.stderr.count('\n') == 1


def test_without_prometheus_client_it_names_the_extra() -> None:
    absent = "import sys; sys.modules['prometheus_client'] = None\n" + SHAPE[SHAPE.index('from exabgp_intern') :]
    program = (sys.executable, '-c', absent, 'run', '--stats-file', '/tmp/x')
    done = run(*program, 'version')
    assert done.returncode == 0
    assert done.stderr.startswith('exabgp-intern: no stats file: ')
    assert done.stderr.endswith('pip install "exabgp-intern[stats]"\n')
    assert run(*program, '--strict', 'version').returncode == 2


def test_variables_are_as_options_which_come_before_them() -> None:
    for name in ('exabgp_intern_classes', 'exabgp.intern.classes'):
        done = run('env', f'{name}=Nonsense', *INTERNED, 'version')
        assert 'Nonsense' in done.stderr
        assert run('env', f'{name}=Nonsense', 'exabgp_intern_strict=on', *INTERNED, 'version').returncode == 2
        assert run('env', f'{name}=Nonsense', *INTERNED, '--classes', 'MAC', 'version').stderr == ''
        assert run('env', f'{name}=Nonsense', *STOCK, 'version').stderr == ''


def logged(output: str) -> list[str]:
    return [line[line.index('exabgp-intern') :] for line in output.splitlines() if 'exabgp-intern' in line]


@pytest.mark.parametrize('names', ['Labels, MAC', 'Labels, Attributes', 'PathAttributes'])
def test_what_is_asked_for_is_what_is_interned(tmp_path: Path, names: str) -> None:
    program = (*INTERNED, '--classes', names.replace(' ', ''))
    with ExaBGP(tmp_path / 'daemon', program, receiving()) as daemon:
        wait_for(lambda: logged(daemon.output))
        daemon.popen.terminate()
        assert daemon.exit_code() == 0
        first, last = logged(daemon.output)
    assert f' {names} interned, ExaBGP 5.' in first
    assert last.endswith('saved nothing, objects: 0, references to them: 0')


def test_what_is_not_interned_is_logged_too(tmp_path: Path) -> None:
    with ExaBGP(tmp_path / 'daemon', UNKNOWN, receiving()) as daemon:
        wait_for(lambda: len(logged(daemon.output)) == 2)
        daemon.popen.terminate()
        assert daemon.exit_code() == 0
        on_stderr, first = logged(daemon.output)
    assert 'nothing interned' in on_stderr and 'nothing interned' in first


def test_doctor() -> None:
    done = run(*INTERNED[:-1], 'doctor')
    assert (done.returncode, done.stderr) == (0, '')
    rows = dict(re.split('  +', line, maxsplit=1) for line in done.stdout.splitlines())
    assert rows['ExaBGP'].startswith('5.') and STOCK[0] in rows['ExaBGP']
    assert {name: rows[name].startswith('can be interned') for name in CLASSES} == dict.fromkeys(CLASSES, True)
    assert {name for name in CLASSES if rows[name] == 'can be interned'} == set(DEFAULT)
    assert {name: rows[name] for name in SETS} == {name: f'can be shared: {what}' for name, what in SHARED}


def test_doctor_names_the_file_of_settings_and_warns_of_another_exabgp(tmp_path: Path) -> None:
    def doctor(**variables: str) -> tuple[str, str]:
        done = run(*INTERNED[:-1], 'doctor', **variables)
        assert (done.returncode, done.stderr) == (0, '')
        rows = dict(re.split('  +', line, maxsplit=1) for line in done.stdout.splitlines() if '  ' in line)
        return rows['settings'], done.stdout.splitlines()[-1]

    settings = tmp_path / 'etc' / 'exabgp' / 'exabgp.env'
    assert doctor(EXABGP_ROOT=str(tmp_path))[0] == f'{settings} (does not exist)'
    settings.parent.mkdir(parents=True)
    settings.touch()
    other = tmp_path / 'exabgp'
    other.write_text('#!/bin/sh\n')
    path = f'{tmp_path}:{os.environ["PATH"]}'
    found, last = doctor(EXABGP_ROOT=str(tmp_path), PATH=path)
    assert found == str(settings) and str(other) not in last
    other.chmod(0o755)
    assert f'there is another ExaBGP here, which `run` does not start: {other}' in doctor(PATH=path)[1]


def test_the_program_is_found_where_only_root_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / 'exabgp'
    program.write_text('#!/bin/sh\n')
    program.chmod(0o755)
    monkeypatch.setattr(module_of_run, 'SBIN', (str(tmp_path),))
    monkeypatch.setattr(sys, 'executable', '/nowhere/bin/python')
    monkeypatch.setattr(sys, 'argv', ['/nowhere/bin/exabgp-intern'])
    monkeypatch.setenv('PATH', '/nowhere')
    assert module_of_run.script() == str(program)
    program.unlink()
    assert module_of_run.script() == '/nowhere/bin/exabgp'


def test_doctor_says_which_class_cannot_be_interned_and_why() -> None:
    done = run(*UNKNOWN[:-1], 'doctor')
    assert done.returncode == 1
    rows = dict(re.split('  +', line, maxsplit=1) for line in done.stdout.splitlines())
    assert 'takes (octets), not (rd)' in rows['RouteDistinguisher']
    assert rows['Labels'] == 'can be interned'


def test_the_text_is_what_stats_counts(installed: None) -> None:
    kept = [OURS['RouteDistinguisher'](b'%08d' % (number % 7)) for number in range(100)]
    read = {family.name: family for family in text_string_to_metric_families(text().decode())}
    now = stats()
    assert len(kept) == 100
    for field, (_, name, about) in METRICS.items():
        family = read[f'exabgp_intern_{name}']
        assert family.documentation == about
        assert {sample.labels['class']: sample.value for sample in family.samples} == {
            cls: getattr(each, field) for cls, each in now.items()
        }
    assert set(now['ESI']._fields) == set(METRICS)
    assert len(read) == len(METRICS) + 1  # and the versions


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / 'stats.prom'
    before = os.umask(0o137)
    try:
        write(str(path), b'one\n')
        with path.open() as reader:
            write(str(path), b'two\n')
            assert reader.read() == 'one\n'
    finally:
        os.umask(before)
    assert path.read_bytes() == b'two\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


FULL = """
import resource, sys
from exabgp_intern.daemon.doctor import SHARED
from exabgp_intern.daemon.metrics import write
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    write(sys.argv[1], bytes(11))
except OSError as problem:
    print(problem.errno)
"""


def test_a_full_disk_leaves_the_file_of_before_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / 'stats.prom'
    write(str(path), b'before')
    done = run(sys.executable, '-c', FULL, str(path))
    assert done.stdout.strip() == '27', done  # EFBIG
    assert path.read_bytes() == b'before'
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_in_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / 'stats.prom'
    path.mkdir()
    with pytest.raises(OSError):
        write(str(path), b'')
    assert list(tmp_path.iterdir()) == [path]


def test_failing_is_logged_once_until_it_works_again(tmp_path: Path) -> None:
    lines: list[str] = []
    directory = tmp_path / 'later'
    stats_file = StatsFile(str(directory / 'stats.prom'), 0.01, lines.append)
    stats_file.start()
    try:
        for outage in (1, 2):
            wait_for(lambda outage=outage: len(lines) == outage)
            threading.Event().wait(0.1)
            assert len(lines) == outage
            directory.mkdir()
            wait_for((directory / 'stats.prom').exists)
            if outage == 1:
                for _ in range(100):  # it may be writing just now
                    try:
                        (directory / 'stats.prom').unlink()
                        directory.rmdir()
                        break
                    except OSError:
                        threading.Event().wait(0.003)
    finally:
        stats_file.stop()
    assert 'exabgp-intern' not in [thread.name for thread in threading.enumerate()]
    assert all(line.startswith(f'cannot write {directory}') for line in lines)
