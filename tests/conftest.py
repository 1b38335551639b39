from __future__ import annotations

from typing import Iterator

import pytest

import exabgp_intern
from exabgp_intern.installation import CLASSES


@pytest.fixture
def installed() -> Iterator[None]:
    """ExaBGP with all six classes canonical; its own are back afterwards."""
    exabgp_intern.install(CLASSES)
    yield
    exabgp_intern.uninstall()


@pytest.fixture(scope='session', autouse=True)
def exabgp_log() -> None:
    """ExaBGP decodes nothing before its logger is set up."""
    from exabgp.environment import getenv
    from exabgp.logger import log

    log.init(getenv())
