"""Run ExaBGP's own tests without interning and with it, and print what differs.

Takes a checkout of branch 5.0 of github.com/Exa-Networks/exabgp, copies it, and runs in the copy
`pytest tests` and the parsing, decoding and encoding tests of `qa/bin/functional`; of a checkout of
branch main, ExaBGP 6, `pytest tests/unit`.  What passes without interning must pass with it, but for
what upstream_expected.txt or upstream_expected_main.txt, beside this script, lists and gives the
reason for; and all that it lists must differ, or interning was not on.

Some encoding tests of ExaBGP are a race, and fail now and then without interning too.  So a
functional test that fails is run again, alone, and has failed if it never passes; it is named if it
does.  These tests use the TCP ports from 1790 up.  All of it takes ten to fifteen minutes.

Exit code: 0 no other difference than the expected ones, 1 another one, or a suite without results,
2 bad usage, no checkout of 5.0 or main, or something that the tests need is not installed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Dict, Sequence
from xml.etree import ElementTree

EXPECTED = Path(__file__).with_name('upstream_expected.txt')
EXPECTED_MAIN = Path(__file__).with_name('upstream_expected_main.txt')
NEEDED = ('exabgp_intern', 'pytest', 'pytest_asyncio', 'pytest_benchmark', 'hypothesis', 'psutil')
SUITES = ('pytest', 'parsing', 'decoding', 'encoding')
MAIN = '6 (main)'
SECONDS = 1800  # of any child
AGAIN = 8  # times; alone, the test unknown-message was seen to fail in one run of three, or two of them

# As sitecustomize.py in the copy's src, this runs first in all that qa/bin/functional starts: whatever
# PYTHONPATH those were given, src is on it.  sys.argv is set by then, so that ExaBGP finds its root.
# Each process of ExaBGP leaves a file: how many canonical objects it has made, and its arguments.
HOOK = """\
import atexit, os, sys

if sys.argv[0].endswith('/exabgp/application/main.py'):
    import exabgp_intern

    def made():
        return sum(statistics.made for statistics in exabgp_intern.stats().values())

    def witness():
        with open(os.path.join({witnesses!r}, str(os.getpid())), 'w') as file:
            file.write(str(made() - before) + ' ' + ' '.join(sys.argv[1:]))

    exabgp_intern.install()
    before = made()
    witness()
    atexit.register(witness)
"""

Results = Dict[str, str]  # by test: where it failed, '' if it passed; no entry if it was skipped


class NoResults(Exception):
    """A suite gave nothing to compare."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkout', metavar='CHECKOUT', type=Path, help='stays as it is')
    checkout = parser.parse_args(arguments).checkout

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        return _complain(f'not installed for {sys.executable}: {", ".join(missing)}')
    version = _version(checkout)
    if not version:
        return _complain(f'{checkout} is no checkout of ExaBGP 5.0 or main')

    print(f'ExaBGP {version}, Python {sys.version.split()[0]}')
    with TemporaryDirectory(prefix='exabgp-') as directory:
        try:
            results = compare(checkout, Path(directory), ('pytest',) if version == MAIN else SUITES)
        except NoResults as problem:
            print('FAIL:', problem)
            return 1
    reasons = EXPECTED_MAIN if version == MAIN else EXPECTED
    return verdict(results, expected(reasons.read_text(encoding='utf-8')))


def compare(checkout: Path, directory: Path, suites: Sequence[str]) -> dict[str, tuple[Results, Results]]:
    """Return the results of each suite without interning and with it, run in a copy in `directory`."""
    copy, witnesses = directory / 'exabgp', directory / 'witnesses'
    shutil.copytree(checkout, copy, symlinks=True, ignore=shutil.ignore_patterns('.git'))
    without = {suite: pytest(copy) if suite == 'pytest' else functional(suite, copy) for suite in suites}

    (copy / 'src' / 'sitecustomize.py').write_text(HOOK.format(witnesses=str(witnesses)))
    interned = {}
    for suite in suites:
        witnesses.mkdir()
        if suite == 'pytest':
            interned[suite] = pytest(copy, '-p', 'exabgp_intern.testing')
        else:
            interned[suite] = functional(suite, copy)
            check_witnesses(suite, len(interned[suite]), witnesses)
        shutil.rmtree(witnesses)
    return {suite: (without[suite], interned[suite]) for suite in suites}


def check_witnesses(suite: str, tests: int, witnesses: Path) -> None:
    """Raise NoResults unless interning was on in ExaBGP for each test, and had work."""
    made, arguments = 0, set()  # each test has its own arguments, the same when it is run again
    for path in witnesses.iterdir():
        number, _, rest = path.read_text().partition(' ')
        made += int(number)
        arguments.add(rest)
    if len(arguments) < tests or not made:
        raise NoResults(f'interning was on for {len(arguments)} of {tests} tests of {suite}, and made {made} objects')
    print(f'{suite}: interning was on in ExaBGP for each of {tests} tests, and made {made} objects')


def pytest(copy: Path, *options: str) -> Results:
    report = copy.with_name('report.xml')
    report.unlink(missing_ok=True)
    command = [sys.executable, '-m', 'pytest', '-q', '--tb=short', '--continue-on-collection-errors']
    # the rest of main's tests are of its daemon, and of how fast it is
    command += [f'--junitxml={report}', *options, 'tests/unit' if _is_main(copy) else 'tests']
    code, output = run(command, copy, PYTHONPATH='src', exabgp_log_enable='false')
    if not report.exists():
        raise NoResults(f'pytest ended with {code}: {"".join(output.splitlines()[-1:])}')
    return junit(report.read_text(encoding='utf-8'))


def junit(report: str) -> Results:
    """Return the results in pytest's XML: a failure is at the first line of its traceback, the test's own."""
    results: Results = {}
    for case in ElementTree.fromstring(report).iter('testcase'):
        test = f'{case.get("classname")}.{case.get("name")}'
        failures = [child.text or '' for child in case if child.tag in ('failure', 'error')]
        if failures:
            line = re.search(r'^\S+?:(\d+): ', failures[0], re.MULTILINE)
            results[test] = f'{test}:{line.group(1)}' if line else test
        elif case.find('skipped') is None:
            results[test] = ''
    return results


def functional(suite: str, copy: Path) -> Results:
    """Return the results of `qa/bin/functional SUITE`; what fails there is run again, alone."""
    environment = {
        'PATH': os.pathsep.join([os.path.dirname(sys.executable), os.environ.get('PATH', os.defpath)]),
        'INTERPRETER': sys.executable,
        'SKIPCLEANUP': 'exabgp',
        'exabgp_version': '5.0.0-0+test',  # or ExaBGP asks git, which has much to say where it is not at home
    }
    if os.geteuid() == 0:
        environment['exabgp_daemon_user'] = 'root'  # nobody, the default, may not read the copy
    command = [sys.executable, 'qa/bin/functional', suite]
    tests = listed(run([*command, '--list'], copy, **environment)[1])
    passes = displayed(run(command, copy, **environment)[1])
    if not tests or len(passes) != len(tests):
        raise NoResults(f'{suite} has {len(tests)} tests and showed {len(passes)} results')
    results = {}
    for (nick, name), passed in zip(tests, passes):
        test = f'{suite} {nick} {name}'
        if not passed:
            passed = any(run([*command, nick], copy, **environment)[0] == 0 for _ in range(AGAIN))
            if passed:
                print(f'{test} failed, and passed when it was run again')
        results[test] = '' if passed else test
    return results


def listed(output: str) -> list[tuple[str, str]]:
    """Return the nick and the name of each test, in the order in which their results are displayed."""
    words = output.partition('The available tests are:')[2].split()
    return list(zip(words[::2], words[1::2]))


def displayed(output: str) -> list[bool]:
    """Return for each mark in the last state of the display whether it is the one for success."""
    *_, last = output.splitlines() or ['']
    return [mark == '✓' for mark in re.sub('\x1b\\[\\d+m', '', last).split()]


def run(command: Sequence[str], directory: Path, **environment: str) -> tuple[int, str]:
    """Return the exit code and all output of `command`, and end whatever it has left behind."""
    print('>', *command[1:], file=sys.stderr, flush=True)
    log = directory.with_name('output')
    with log.open('wb') as output:
        child = subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = child.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise NoResults(f'{" ".join(command[1:])} did not end in {SECONDS} seconds') from None
        finally:
            _end_session(child.pid)
            child.wait()
    return code, log.read_text(encoding='utf-8', errors='replace')


def _end_session(leader: int) -> None:
    """Kill the processes of the session of `leader`: ExaBGP gives its helpers groups of their own."""
    import psutil

    for pid in psutil.pids():
        try:
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)
        except OSError:
            pass  # gone meanwhile


def expected(text: str) -> dict[str, str]:
    """Return the reason for each difference: lines at the margin are differences, indented ones reasons."""
    found = re.findall(r'^([^#\s].*)\n((?: .*\n)*)', text, re.MULTILINE)
    return {difference: ' '.join(reason.split()) for difference, reason in found}


def verdict(results: dict[str, tuple[Results, Results]], reasons: dict[str, str]) -> int:
    """Print the table, the differences and one line about all; return the exit code."""
    row = '{:10}{:>10}{:>10}{:>10}{:>10}{:>23}'.format
    print(row('', 'passed', '', 'failed', '', ''))
    print(row('', 'without', 'with', 'without', 'with', 'only with interning'))
    found: list[str] = []
    for suite, (without, interned) in results.items():
        passed = [list(each.values()).count('') for each in (without, interned)]
        only = differences(without, interned)
        print(row(suite, *passed, len(without) - passed[0], len(interned) - passed[1], len(only)))
        found += only
    unexpected = [difference for difference in found if difference not in reasons]
    absent = [difference for difference in reasons if difference not in found]
    for difference in found + absent:
        title = 'UNEXPECTED' if difference in unexpected else 'DID NOT HAPPEN' if difference in absent else 'expected'
        print(f'{title}: {difference}')
        if difference in reasons:
            print(f'    {reasons[difference]}')
    void = [suite for suite, (without, _) in results.items() if '' not in without.values()]
    if void:
        print(f'FAIL: nothing passes without interning, so there is nothing to compare with: {", ".join(void)}')
    elif unexpected or absent:
        print(f'FAIL: unexpected differences: {len(unexpected)}, expected ones that did not happen: {len(absent)}')
    else:
        print(f'PASS: all {len(found)} differences are expected')
    return 1 if void or unexpected or absent else 0


def differences(without: Results, interned: Results) -> list[str]:
    """Return where tests fail, or are not run, with interning only."""
    # without, it passed or was skipped; with interning it did not pass
    tests = [test for test in {**without, **interned} if not without.get(test) and interned.get(test) != '']
    return [interned.get(test, f'{test} (not run)') for test in tests]


def _version(checkout: Path) -> str:
    """Return the version of ExaBGP in `checkout`, MAIN if it has none yet, '' if that is a checkout of neither line."""
    file = checkout / 'src' / 'exabgp' / 'version.py'
    if not all(path.exists() for path in (file, checkout / 'tests', checkout / 'qa' / 'bin' / 'functional')):
        return ''
    release = re.search(r'^release = .(5\.0\.[^"\']*)', file.read_text(encoding='utf-8'), re.MULTILINE)
    return release.group(1) if release else MAIN if _is_main(checkout) else ''


def _is_main(checkout: Path) -> bool:
    # told by its shape: a route distinguisher is decoded by another name
    rd = checkout / 'src/exabgp/bgp/message/update/nlri/qualifier/rd.py'
    return rd.exists() and 'def unpack_routedistinguisher' in rd.read_text(encoding='utf-8')


def _complain(problem: str) -> int:
    print(f'upstream_suite: {problem}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the children end too
    sys.exit(main())
