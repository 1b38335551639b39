"""The pytest plugin, in a process of its own: what it installs would stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import exabgp_intern
from exabgp_intern import lines
from exabgp_intern.installation import DEFAULT, exabgp_version, sets

SUITE = """
from exabgp.bgp.message.update.nlri.qualifier import RouteDistinguisher

FIRST = RouteDistinguisher(bytes(8))  # while this is collected


def test_that_one_value_is_one_object():
    assert RouteDistinguisher(bytes(8)) is FIRST
"""


def run(suite: Path, *options: str) -> tuple[int, str]:
    (suite / 'test_suite.py').write_text(SUITE)
    command = [sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', *options, 'test_suite.py']
    ended = subprocess.run(command, cwd=suite, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return ended.returncode, ended.stdout


def test_that_it_installs_before_collection_and_says_so(tmp_path: Path) -> None:
    code, output = run(tmp_path, '-p', 'exabgp_intern.testing')
    assert code == 0, output
    names = [*(name for name in DEFAULT if name in lines.classes()), *sets()]
    header = f'exabgp-intern {exabgp_intern.__version__}: {", ".join(names)} interned, ExaBGP {exabgp_version()}'
    assert header in output.splitlines()


def test_that_without_it_nothing_is_installed(tmp_path: Path) -> None:
    code, output = run(tmp_path)
    assert code == 1, output
    assert 'exabgp-intern' not in output


def test_that_it_takes_the_exabgp_of_the_suite(tmp_path: Path) -> None:
    """pytest's `pythonpath` may put an ExaBGP on the path that is not the installed one."""
    package = tmp_path / 'src' / 'exabgp'
    package.mkdir(parents=True)
    (package / '__init__.py').touch()
    (tmp_path / 'pytest.ini').write_text('[pytest]\npythonpath = src\n')
    code, output = run(tmp_path, '-p', 'exabgp_intern.testing')
    assert code == 4, output
    assert "ERROR: exabgp-intern: RouteDistinguisher of ExaBGP unknown: No module named 'exabgp.bgp'" in output


def test_that_the_package_does_not_need_pytest(tmp_path: Path) -> None:
    (tmp_path / 'pytest.py').write_text('raise ImportError')
    command = [sys.executable, '-c', 'import exabgp_intern; exabgp_intern.install()']
    subprocess.run(command, env={**os.environ, 'PYTHONPATH': str(tmp_path)}, check=True, timeout=120)
