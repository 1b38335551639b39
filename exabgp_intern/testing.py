"""A pytest plugin: `pytest -p exabgp_intern.testing` runs any suite with ExaBGP's qualifiers interned."""

from __future__ import annotations

import pytest

import exabgp_intern
from exabgp_intern.installation import UnsupportedExaBGP, exabgp_version, install, installed

__all__ = ('pytest_configure', 'pytest_report_header')


def pytest_configure() -> None:
    # Not when this module is imported: pytest has yet to put the suite's own ExaBGP on the path then.
    try:
        install()
    except UnsupportedExaBGP as problem:
        raise pytest.UsageError(f'exabgp-intern: {problem}') from problem


def pytest_report_header() -> str:
    return f'exabgp-intern {exabgp_intern.__version__}: {", ".join(installed())} interned, ExaBGP {exabgp_version()}'
