"""Nothing outlives its last route: runs scripts/leak_check.py, and with planted leaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

PROGRAM = ROOT / 'scripts' / 'leak_check.py'


def leak_check(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the program where it may write its graph."""
    sizes = ('--routes', '100', '--cycles', '5', '--peak', '2000')
    return subprocess.run(
        [sys.executable, str(PROGRAM), *sizes, *options], cwd=directory, capture_output=True, text=True, timeout=120
    )


def test_no_leak(tmp_path: Path) -> None:
    done = leak_check(tmp_path)
    assert done.stderr == ''
    assert done.stdout.splitlines()[-1].startswith('no leak: ')
    assert 'peak: 12,120 objects alive' in done.stdout
    assert done.returncode == 0
    assert not (tmp_path / 'leak.dot').exists()


@pytest.mark.parametrize(
    'fault, verdict, grew',
    [
        ('strong', 'LEAK: 1 of 67 objects are held by no route after withdrawals', 'what grew: 1 Received'),
        ('loop', 'LEAK: 1 of 67 objects are held by no route after withdrawals', 'what grew: 1 Received'),
        ('stale', 'LEAK: 73 entries are left in the tables after a flush', 'what grew: 73 '),
        ('keys', 'LEAK: ', 'leak_check.py:'),
    ],
)
def test_planted_leak(tmp_path: Path, fault: str, verdict: str, grew: str) -> None:
    done = leak_check(tmp_path, '--plant', fault)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith(verdict)
    assert grew in done.stdout
    # bytes that nothing refers to by name have no graph
    assert (tmp_path / 'leak.dot').exists() is (fault != 'keys')


def test_planted_leak_is_in_the_graph(tmp_path: Path) -> None:
    leak_check(tmp_path, '--plant', 'strong')
    graph = (tmp_path / 'leak.dot').read_text()
    assert 'Received' in graph
    assert 'strong.<locals>.faulty' in graph


@pytest.mark.parametrize('options', [('--plant', 'nothing'), ('--cycles', '0')])
def test_bad_usage(tmp_path: Path, options: tuple[str, str]) -> None:
    assert leak_check(tmp_path, *options).returncode == 2


def test_help(tmp_path: Path) -> None:
    done = leak_check(tmp_path, '--help')
    assert done.returncode == 0
    assert 'Exit code: 0 no leak, 1 a leak, 2 bad usage.' in done.stdout
