from __future__ import annotations

from typing import Iterator

import pytest

import exabgp_intern
from exabgp_intern import lines


@pytest.fixture
def installed() -> Iterator[None]:
    """ExaBGP with all the classes canonical; its own are back afterwards."""
    exabgp_intern.install(lines.classes())
    yield
    exabgp_intern.uninstall()


@pytest.fixture(scope='session', autouse=True)
def exabgp_log() -> None:
    """ExaBGP decodes nothing before its logger is set up."""
    lines.start()
