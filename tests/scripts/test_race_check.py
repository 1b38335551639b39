"""One object for a value whatever interrupts whom: runs scripts/race_check.py, and with planted faults."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import ROOT

PROGRAM = ROOT / 'scripts' / 'race_check.py'


# Without one, no process is forked beside threads, and no collection runs in the middle of a construction.
WITH_A_GIL = pytest.mark.skipif(not getattr(sys, '_is_gil_enabled', lambda: True)(), reason='this Python has no GIL')


def race_check(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), '--seconds', '1', *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_no_fault() -> None:
    done = race_check('--rounds', '500')
    assert done.stdout.splitlines()[-1] == 'no fault: every value had one object'
    for check in ('threads', 'finalisers', 'callbacks', 'statistics', 'installs', 'forks', 'exits'):
        assert f'{check}: 500 rounds' in done.stdout
    assert 'churn: ' in done.stdout
    assert done.stderr == ''
    assert done.returncode == 0


@pytest.mark.parametrize(
    'fault, rounds, limit, found',
    [
        ('get-then-set', 1000, 60, 'FAULT: duplicates under '),  # under which of the checks is chance
        pytest.param('lock', 100, 60, 'ended by SIGALRM', marks=WITH_A_GIL),
        pytest.param('no-evict', 500, 5, 'FAULT: callbacks not done in 5 s', marks=WITH_A_GIL),
        ('iterate', 500, 60, "FAULT: statistics raised RuntimeError('dictionary "),
        ('import', 100, 60, 'FAULT: 0 of '),
    ],
)
def test_planted_fault(fault: str, rounds: int, limit: int, found: str) -> None:
    done = race_check('--rounds', str(rounds), '--limit', str(limit), '--plant', fault)
    assert done.returncode == 1
    assert found in done.stdout.splitlines()[-1]


@pytest.mark.parametrize('options', [('--plant', 'nothing'), ('--rounds', '0')])
def test_bad_usage(options: tuple[str, str]) -> None:
    assert race_check(*options).returncode == 2


def test_help() -> None:
    done = race_check('--help')
    assert done.returncode == 0
    assert 'Exit code: 0 no fault, 1 a fault, 2 bad usage.' in done.stdout
