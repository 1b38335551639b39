"""The from_packed that knows one table is offered by a class that nobody derived from, and only while it is plain."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from typing import Any

import pytest

from tests.support import NAMES, OURS
from tests.test_guarantees import PACKED

QUICK = [name for name in NAMES if OURS[name]._quick]
each_quick = pytest.mark.parametrize('name', QUICK)


def alone(name: str, program: str) -> None:
    """Run `program` in a process where nothing else derives from the class `name`, which is `cls` there."""
    head = f"""
import exabgp_intern
from exabgp_intern import {name} as cls
packed = {PACKED[name]!r}
def offered():
    return cls.from_packed is cls._quick
assert offered() and cls.from_packed(packed) is cls.from_packed(packed)
"""
    subprocess.run([sys.executable, '-c', head + program], check=True, timeout=60)


@pytest.mark.skipif(not QUICK, reason='on ExaBGP 6 there is none')
def test_the_classes_of_the_decoders_have_one() -> None:
    assert {'RouteDistinguisher', 'PathInfo', 'ESI', 'EthernetTag', 'NextHop'} == set(QUICK)


@each_quick
def test_a_subclass_ends_it_and_gets_its_own_instances(name: str) -> None:
    alone(
        name,
        """
class Mine(cls):
    @classmethod
    def from_packed(cls, packed):
        return super().from_packed(packed)
class Inherits(cls):
    pass
class Both(Inherits, Mine):
    pass
assert not offered()
for each in (cls, Mine, Inherits, Both):
    kept = each.from_packed(packed)
    assert type(kept) is each and each.from_packed(packed) is kept
""",
    )


@each_quick
def test_it_is_back_when_no_subclass_is_left_and_the_constructor_is_looked_at(name: str) -> None:
    alone(
        name,
        """
import gc
class Mine(cls):
    pass
assert not offered()
del Mine
gc.collect()
cls._look_at_constructor('__init__')
assert offered()
""",
    )


@each_quick
def test_a_constructor_that_is_replaced_ends_it_until_it_is_back(name: str) -> None:
    alone(
        name,
        """
seen, original, kept = [], cls.__init__, cls.from_packed(packed)
def spy(self, *args, **kwargs):
    seen.append(args)
    original(self, *args, **kwargs)
cls.__init__ = spy
assert cls.from_packed(packed) is kept and len(seen) == 1 and not offered()
del cls.__init__
assert cls.from_packed(packed) is kept and len(seen) == 1 and offered()
""",
    )


@each_quick
def test_a_from_packed_that_is_replaced_stays(name: str) -> None:
    alone(
        name,
        """
mine = cls.from_packed = staticmethod(lambda packed: 'mine')
class Mine(cls):
    pass
assert cls.from_packed(packed) == 'mine' and Mine.from_packed(packed) == 'mine'
del cls.from_packed
assert type(cls.from_packed(packed)) is cls and type(Mine.from_packed(packed)) is Mine
""",
    )


@each_quick
def test_what_is_patched_and_put_back_is_the_one_that_is_right_then(name: str) -> None:
    alone(
        name,
        """
from unittest.mock import patch
with patch.object(cls, 'from_packed'):
    class Mine(cls):
        pass
assert type(Mine.from_packed(packed)) is Mine and not offered()
""",
    )
    alone(
        name,
        """
from unittest.mock import patch
original = cls.__init__
for first in (0, 1):
    patches = [patch.object(cls, 'from_packed'), patch.object(cls, '__init__', autospec=True, side_effect=original)]
    spy = [each.start() for each in patches][1]
    patches[first].stop()
    if first == 0:
        assert type(cls.from_packed(packed)) is cls and spy.called and not offered()
    patches[1 - first].stop()
    assert offered()
quick = cls.from_packed
cls.from_packed = lambda packed: None
cls.from_packed = quick
kept = quick(packed)
assert offered() and kept.from_packed(packed) is kept
cls.__init__ = lambda self, *args: original(self, *args)
assert not offered()
""",
    )


@each_quick
def test_it_tells_what_it_is(name: str) -> None:
    quick: Any = OURS[name]._quick
    assert inspect.getdoc(quick) == inspect.getdoc(OURS[name].from_packed)
    assert str(inspect.signature(quick)).startswith('(packed')
    alone(name, 'import pickle; assert pickle.loads(pickle.dumps(cls.from_packed)) is cls.from_packed')
    assert pickle.loads(pickle.dumps(OURS[name].from_packed))(PACKED[name]) is OURS[name].from_packed(PACKED[name])
