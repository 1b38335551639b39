from __future__ import annotations

import gc
from importlib import import_module
from typing import Any, Iterator

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


@pytest.fixture(scope='session', autouse=True)
def cheap_collections() -> None:
    """Leave what was imported out of the garbage collections, of which many tests make one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def forget_routes() -> Iterator[None]:
    """Empty what ExaBGP keeps of each configuration, so that no test finds the objects of another alive."""
    yield
    rib: Any = import_module('exabgp.rib')
    rib.RIB._cache.clear()
