"""scripts/upstream_suite.py, on a checkout as small as can be; on a real one if EXABGP_CHECKOUT names it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import exabgp
import psutil
import pytest

from tests import ROOT

SCRIPT = ROOT / 'scripts' / 'upstream_suite.py'

TESTS = """
from copy import copy
from exabgp.bgp.message.update.nlri.qualifier import PathInfo

def test_that_passes():
    assert PathInfo(integer=1) == PathInfo(integer=1)

def test_that_a_copy_is_another_object():
    path = PathInfo(integer=1)
    assert copy(path) is not path
"""

# One test, as which ExaBGP decodes a VPN route; what it displays is shaped as by ExaBGP's own script.
FUNCTIONAL = """
import os, subprocess, sys

if '--list' in sys.argv:
    print('\\nThe available tests are:\\n\\n 0  vpn-1 \\n')
    sys.exit()
environment = {**os.environ, 'PYTHONPATH': 'src'}
command = [os.environ['INTERPRETER'], 'src/exabgp/application/main.py', 'decode', '-f', 'ipv4 mpls-vpn', '--nlri']
code = subprocess.call([*command, '700006410000FDE8000000010A0000'], env=environment)
for mark in '0', '0' if code else '\\u2713':
    sys.stdout.write(f' \\033[0m\\033[92m{mark}\\033[0m\\033[0m\\r')
print()
sys.exit(code)
"""

DIFFERENCE = 'tests.test_copy.test_that_a_copy_is_another_object:10'


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module, with no expected differences and two suites only."""
    spec = spec_from_file_location('upstream_suite', SCRIPT)
    assert spec and spec.loader
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, 'EXPECTED', tmp_path / 'expected.txt')
    monkeypatch.setattr(module, 'NEEDED', ('exabgp_intern', 'pytest', 'psutil'))
    monkeypatch.setattr(module, 'SUITES', ('pytest', 'decoding'))
    module.EXPECTED.touch()
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Three files, and the installed ExaBGP."""
    checkout = tmp_path / 'checkout'
    for name, text in {'tests/__init__.py': '', 'tests/test_copy.py': TESTS, 'qa/bin/functional': FUNCTIONAL}.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(text)
    (checkout / 'src').mkdir()
    (checkout / 'src' / 'exabgp').symlink_to(Path(exabgp.__file__).parent)
    return checkout


def test_that_an_unexpected_difference_fails(script: Any, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.lstat().st_mtime_ns for path in checkout.rglob('*')}
    assert script.main([str(checkout)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f'UNEXPECTED: {DIFFERENCE}' in lines
    assert ['pytest', '2', '1', '0', '1', '1'] in [line.split() for line in lines]
    assert ['decoding', '1', '1', '0', '0', '0'] in [line.split() for line in lines]
    assert lines[-1] == 'FAIL: unexpected differences: 1, expected ones that did not happen: 0'
    assert {path: path.lstat().st_mtime_ns for path in checkout.rglob('*')} == before


def test_that_an_expected_difference_passes(script: Any, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script.EXPECTED.write_text(f'# of a test\n\n{DIFFERENCE}\n    It is\n    the same.\n')
    assert script.main([str(checkout)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [f'expected: {DIFFERENCE}', '    It is the same.', 'PASS: all 1 differences are expected']


def test_that_the_line_is_of_the_test_itself(script: Any) -> None:
    failure = (
        'tests/test_copy.py:10: in test_that_a_copy_is_another_object\n    copy(path)\nother.py:7: in copy\nE   No'
    )
    case = '<testcase classname="tests.test_copy" name="test_that_a_copy_is_another_object">'
    assert script.junit(f'<a>{case}<failure>{failure}</failure></testcase></a>').popitem()[1] == DIFFERENCE


def test_that_an_expected_difference_at_another_line_fails(script: Any) -> None:
    results = {'pytest': ({'a': '', 'b': ''}, {'a': 'a:11', 'b': ''})}
    assert script.verdict(results, {'a:11': ''}) == 0
    assert script.verdict(results, {'a:10': ''}) == 1
    assert script.verdict(results, {'a:10': '', 'a:11': ''}) == 1


def test_that_an_expected_difference_must_happen(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """As none does if interning was not on."""
    assert script.verdict({'pytest': ({'a': ''}, {'a': ''})}, {DIFFERENCE: 'It is the same.'}) == 1
    assert f'DID NOT HAPPEN: {DIFFERENCE}\n    It is the same.\nFAIL: ' in capsys.readouterr().out


def test_that_daemons_without_interning_fail(script: Any, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script.HOOK = ''
    script.SUITES = ('decoding',)
    assert script.main([str(checkout)]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == 'FAIL: interning was on for 0 of 1 tests of decoding, and made 0 objects'


def test_that_daemons_in_which_nothing_is_installed_fail(script: Any, checkout: Path) -> None:
    script.HOOK = script.HOOK.replace('    exabgp_intern.install()\n', '')
    script.SUITES = ('decoding',)
    assert script.main([str(checkout)]) == 1


@pytest.mark.parametrize('witnesses', [['1 a', '1 a'], ['1 a'], ['0 a', '0 b'], []])
def test_that_interning_must_be_on_for_each_test(script: Any, tmp_path: Path, witnesses: list[str]) -> None:
    (tmp_path / 'witnesses').mkdir()
    for number, text in enumerate(witnesses):
        (tmp_path / 'witnesses' / str(number)).write_text(text)
    with pytest.raises(script.NoResults):
        script.check_witnesses('decoding', 2, tmp_path / 'witnesses')


@pytest.mark.parametrize('times, code', [(1, 0), (20, 1)])
def test_that_what_fails_is_run_again(
    script: Any, checkout: Path, capsys: pytest.CaptureFixture[str], times: int, code: int
) -> None:
    """The test fails so many times."""
    script.SUITES = ('decoding',)
    counted = f"open('runs', 'a').write('1')\ncode = len(open('runs').read()) <= {times}\nfor mark in"
    (checkout / 'qa' / 'bin' / 'functional').write_text(FUNCTIONAL.replace('for mark in', counted))
    assert script.main([str(checkout)]) == code
    assert ('decoding 0 vpn-1 failed, and passed when it was run again' in capsys.readouterr().out) is (code == 0)


def test_that_a_suite_that_breaks_fails(script: Any, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / 'tests' / 'conftest.py').write_text('import nothing_of_that_name')
    assert script.main([str(checkout)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith('FAIL: pytest ended with 4: ')


@pytest.mark.parametrize('results', [{}, {'a': 'a:1'}])
def test_that_a_suite_in_which_nothing_passes_fails(script: Any, results: dict[str, str]) -> None:
    assert script.verdict({'parsing': (results, results)}, {}) == 1


@pytest.mark.parametrize(
    'without, interned, found',
    [
        ({'a': ''}, {'a': ''}, []),
        ({'a': ''}, {'a': 'a:1'}, ['a:1']),
        ({'a': ''}, {}, ['a (not run)']),
        ({}, {'a': 'a:1'}, ['a:1']),
        ({'a': 'a:1'}, {'a': 'a:2'}, []),
        ({'a': 'a:1'}, {'a': ''}, []),
        ({'a': 'a:1'}, {}, []),
    ],
)
def test_what_is_a_difference(script: Any, without: Any, interned: Any, found: list[str]) -> None:
    assert script.differences(without, interned) == found


def test_that_skipped_tests_are_not_results(script: Any) -> None:
    assert script.junit('<a><testcase classname="b" name="c"><skipped/></testcase></a>') == {}


def test_that_the_last_display_counts(script: Any) -> None:
    assert script.displayed(' 0 A\r 0 ✓\rissue\n\x1b[1m\x1b[92m✓ \x1b[0m\x1b[91mA\x1b[0m\r\n') == [True, False]
    assert script.displayed('') == []


def test_that_nothing_is_left_behind(script: Any, tmp_path: Path) -> None:
    """Not even a helper in a process group of its own, nor what does not end in time."""
    copy = tmp_path / 'copy'
    copy.mkdir()
    helper = '[sys.executable, "-c", "import time; time.sleep(600)"], preexec_fn=os.setpgrp'
    starter = f'import os, subprocess, sys, time; print(subprocess.Popen({helper}).pid, flush=True); time.sleep(%d)'
    code, output = script.run([sys.executable, '-c', starter % 0], copy)
    assert code == 0
    assert _ended(int(output))
    script.SECONDS = 3
    with pytest.raises(script.NoResults, match='did not end in 3 seconds'):
        script.run([sys.executable, '-c', starter % 600], copy)
    assert _ended(int((tmp_path / 'output').read_text()))


def _ended(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        process.wait(10)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return process.status() == psutil.STATUS_ZOMBIE  # where nobody waits for orphans
    return True


@pytest.mark.parametrize('arguments', [[], ['a', 'b'], ['--unknown', 'a']])
def test_bad_usage(script: Any, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        script.main(arguments)
    assert exit.value.code == 2


def test_what_is_no_checkout(script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err == f'upstream_suite: {tmp_path} is no checkout of ExaBGP 5.0 or main\n'


def test_what_is_a_checkout_of_another_version(script: Any, checkout: Path) -> None:
    (checkout / 'src' / 'exabgp').unlink()
    (checkout / 'src' / 'exabgp').mkdir()
    (checkout / 'src' / 'exabgp' / 'version.py').write_text("release = '6.0.0'\n")
    assert script.main([str(checkout)]) == 2


def test_that_what_is_not_installed_is_named(script: Any, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script.NEEDED = ('exabgp_intern', 'nothing_of_that_name')
    assert script.main([str(checkout)]) == 2
    assert capsys.readouterr().err == f'upstream_suite: not installed for {sys.executable}: nothing_of_that_name\n'


def test_that_each_expected_difference_is_a_line_of_a_test_and_has_a_reason(script: Any) -> None:
    for name, suite, number in (
        ('upstream_expected', 'copy_contracts', 8),
        ('upstream_expected_main', 'singleton_copy', 1),
    ):
        reasons = script.expected(SCRIPT.with_name(f'{name}.txt').read_text())
        assert len(reasons) == number
        assert all(re.match(rf'tests\.unit\.test_{suite}\.\S+:\d+$', difference) for difference in reasons)
        assert all(reasons.values())


def test_a_checkout_of_main_is_told_by_its_shape(script: Any, checkout: Path, tmp_path: Path) -> None:
    (checkout / 'src' / 'exabgp').unlink()
    rd = checkout / 'src/exabgp/bgp/message/update/nlri/qualifier/rd.py'
    rd.parent.mkdir(parents=True)
    rd.write_text('def unpack_routedistinguisher(): ...\n')
    (checkout / 'src' / 'exabgp' / 'version.py').write_text('release = git()\n')
    assert script._version(checkout) == script.MAIN


@pytest.mark.parametrize('variable', ['EXABGP_CHECKOUT', 'EXABGP_MAIN'])
def test_exabgp(variable: str) -> None:
    """Ten to fifteen minutes; of main a minute."""
    if variable not in os.environ:
        pytest.skip(f'{variable} names no checkout of ExaBGP')
    if variable == 'EXABGP_MAIN' and sys.version_info < (3, 12):
        pytest.skip('ExaBGP 6 is for Python 3.12 and later')
    command = [sys.executable, str(SCRIPT), os.environ[variable]]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    assert ended.returncode == 0, ended.stdout
