"""ExaBGP 6, whose NLRIs keep wire bytes: the accessors of INET's families hold what they hand out.

With EXABGP_MAIN naming a checkout of ExaBGP's branch main, on Python 3.12 or later, this file runs itself and
the guarantees on it, in a process of its own.
"""

from __future__ import annotations

import copy
import gc
import inspect
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import exabgp_intern
from exabgp_intern import lines
from tests import GOBGP, ROOT
from tests.support import FROM_WIRE, OURS, STOCK, is_canonical, outcome
from tests.test_fuzz import mutated

MAIN = os.environ.get('EXABGP_MAIN', '')
SUITES = (
    'tests/exabgp6',
    *(f'tests/test_{name}.py' for name in ('guarantees', 'subclasses', 'distinct', 'differential', 'statistics')),
)

on_main = pytest.mark.skipif(not FROM_WIRE, reason='for ExaBGP 6')

RD = b'\0\0\xfd\xe8\0\0\0\7'
LABEL, STACK = b'\0\x06\x41', b'\0\x06\x40\0\x0c\x81'
VPN = b'\x70' + LABEL + RD + b'\x0a\0\0'
# family, wire bytes, whether with a path identifier
WIRE: dict[str, tuple[tuple[int, int], bytes, bool]] = {
    'INET': ((1, 1), b'\x18\x0a\0\0', False),
    'INET with a path': ((1, 1), b'\0\0\0\1\x18\x0a\0\0', True),
    'Label': ((1, 4), b'\x30' + LABEL + b'\x0a\0\0', False),
    'Label with a path': ((1, 4), b'\0\0\0\1\x30' + LABEL + b'\x0a\0\0', True),
    'Label without one': ((1, 4), b'\x10\x0a\0', False),
    'IPVPN': ((1, 128), VPN, False),
    'IPVPN v6': ((2, 128), b'\x68' + LABEL + RD + bytes(2), False),
    'IPVPN with a path': ((1, 128), b'\0\0\0\1' + VPN, True),
    'IPVPN of two labels': ((1, 128), b'\x88' + STACK + RD + b'\x0a\0\0', False),
    'EVPN MAC/IP': (
        (25, 70),
        b'\2\x25' + RD + bytes(range(10)) + b'\0\0\0\x32\x30' + bytes(6) + b'\x20\x0a\0\0\1' + LABEL,
        False,
    ),
    'VPLS': ((25, 65), b'\0\x11' + RD + b'\0\1\0\2\0\3' + LABEL, False),
    'VPN flowspec': ((1, 134), b'\x10' + RD + b'\1\x18\x0a\0\0' + b'\x03\x81\x06', False),
    'MUP direct segment': ((1, 85), b'\1\0\2\x0c' + RD + b'\x0a\0\0\1', False),
    'MVPN source active': ((1, 5), b'\5\x12' + RD + b'\x20\x0a\0\0\1\x20\x0a\0\0\1', False),
}
ON_MAIN = {
    **os.environ,
    'PYTHONPATH': os.pathsep.join([os.path.join(MAIN, 'src'), str(ROOT), os.environ.get('PYTHONPATH', '')]),
}
LABELLED = [kind for kind in WIRE if kind.startswith(('Label', 'IPVPN'))]


@pytest.mark.skipif(FROM_WIRE, reason='runs on the checkout already')
@pytest.mark.skipif(not MAIN, reason="EXABGP_MAIN names no checkout of ExaBGP's branch main: ExaBGP 6 is not tested")
@pytest.mark.skipif(sys.version_info < (3, 12), reason='ExaBGP 6 is for Python 3.12 and later')
def test_the_checkout() -> None:
    # of pytest-asyncio, which ExaBGP's suite needs, a warning would be an error
    pytest_here = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:asyncio']
    done = subprocess.run(
        [*pytest_here, *SUITES],
        cwd=ROOT,
        env=ON_MAIN,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert ' passed' in done.stdout.splitlines()[-1]


@pytest.mark.skipif(FROM_WIRE, reason='is of the checkout')
@pytest.mark.skipif(not MAIN, reason="EXABGP_MAIN names no checkout of ExaBGP's branch main: ExaBGP 6 is not tested")
@pytest.mark.skipif(sys.version_info < (3, 12), reason='ExaBGP 6 is for Python 3.12 and later')
@pytest.mark.parametrize(
    'command, last',
    [
        ('scripts/leak_check.py --routes 100 --cycles 5 --peak 2000', 'no leak: '),
        ('scripts/leak_check.py --routes 100 --cycles 5 --peak 2000 --plant stale', 'LEAK: '),
        ('scripts/race_check.py --rounds 300', 'no fault: '),
        ('scripts/race_check.py --rounds 1000 --plant get-then-set', 'FAULT: '),
        ('-m exabgp_intern report --family internet --routes 3000', 'both ways print the same '),
        ('-m exabgp_intern report --family vpnv4 --routes 3000 --nlris-per-update 1', 'both ways print the same '),
        (f'-m exabgp_intern report --updates {GOBGP} --add-path ipv4/unicast', 'both ways print the same '),
    ],
)
def test_the_programs_on_the_checkout(command: str, last: str, tmp_path: Path) -> None:
    for module in ('objgraph', 'psutil', 'rich'):
        pytest.importorskip(module)
    words = [str(ROOT / word) if word.startswith('scripts/') else word for word in command.split()]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env=ON_MAIN,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.strip().splitlines()[-1].startswith(last), done.stdout[-2000:] + done.stderr[-2000:]
    assert (done.returncode == 0) is (last[0].islower())


def decode(kind: str) -> Any:
    return lines.decode(*WIRE[kind])[0]


def printed(nlri: Any) -> Any:
    from exabgp.bgp.message.open.capability.negotiated import Negotiated

    return (
        nlri.json(),
        str(nlri),
        bytes(nlri.index()),
        bytes(nlri.pack_nlri(Negotiated.UNSET)),
        outcome(lambda: hash(nlri)),
        outcome(lambda: len(nlri)),
        [str(getattr(nlri, name, None)) for name in ('rd', 'labels', 'path_info', 'esi', 'etag', 'mac', 'label')],
    )


@on_main
@pytest.mark.parametrize('kind', WIRE)
def test_a_route_prints_as_without(kind: str, request: pytest.FixtureRequest) -> None:
    before = decode(kind)
    stock = printed(before)
    request.getfixturevalue('installed')
    route = decode(kind)
    for each in (route, route, before, copy.copy(route), copy.deepcopy(route), pickle.loads(pickle.dumps(route))):
        assert printed(each) == stock
    assert route == before and before == route


@on_main
@pytest.mark.usefixtures('installed')
@pytest.mark.parametrize('kind', LABELLED)
def test_a_route_holds_what_it_hands_out(kind: str) -> None:
    first, second = decode(kind), decode(kind)
    fresh = decode(kind)
    for name, cls in (('labels', 'Labels'), ('rd', 'RouteDistinguisher')):
        held = getattr(first, name)
        if kind == 'Label without one' or name == 'rd' and kind.startswith('Label'):
            assert held is (STOCK[cls].NOLABEL if name == 'labels' else None)
            continue
        assert is_canonical(held) and held is getattr(first, name) is getattr(second, name)
        for copied in (copy.copy(first), copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
            assert getattr(copied, name) is held
    assert first == fresh and hash(first) == hash(fresh) and first.index() == fresh.index()


@on_main
@pytest.mark.usefixtures('installed')
def test_what_a_route_holds_goes_with_it() -> None:
    gc.collect()
    gc.disable()
    try:
        before = [len(OURS[name]._table.data) for name in OURS]
        routes = [decode(kind) for kind in WIRE]
        assert [len(OURS[name]._table.data) for name in OURS][:2] == before[:2]  # nothing was asked for
        for route in routes:
            printed(route)
        # held by the routes alone: one RD, two stacks, the path identifier of a VPN route
        assert [len(OURS[name]._table.data) - was for name, was in zip(OURS, before)] == [1, 2, 1, 0, 0, 0]
        del routes, route
        assert [len(OURS[name]._table.data) for name in OURS] == before
    finally:
        gc.enable()


@on_main
@pytest.mark.usefixtures('installed')
def test_the_path_of_a_vpn_route_is_shared() -> None:
    first, second = decode('IPVPN with a path'), decode('IPVPN with a path')
    assert first.addpath is second.addpath and is_canonical(first.addpath)
    assert first.path_info == first.addpath


@on_main
def test_a_route_that_was_made_by_its_constructor(installed: None) -> None:
    from exabgp.bgp.message.update.nlri.label import Label
    from exabgp.protocol.family import AFI

    made = Label(WIRE['Label without one'][1], AFI.ipv4)  # which sets the slots, to None
    assert made.labels is STOCK['Labels'].NOLABEL and made.rd is None


@on_main
def test_uninstall_gives_the_accessors_back() -> None:
    from exabgp.bgp.message.update.nlri import qualifier
    from exabgp.bgp.message.update.nlri.ipvpn import IPVPNBase
    from exabgp.bgp.message.update.nlri.label import LabelBase

    stock = vars(LabelBase)['labels'], vars(IPVPNBase)['rd'], qualifier.Labels
    exabgp_intern.install()
    exabgp_intern.install()
    assert qualifier.Labels is qualifier.labels.Labels is OURS['Labels']
    held = decode('IPVPN')
    assert is_canonical(held.rd)
    exabgp_intern.uninstall()
    assert (vars(LabelBase)['labels'], vars(IPVPNBase)['rd'], qualifier.Labels) == stock
    assert type(held.rd) is STOCK['RouteDistinguisher'] and type(decode('IPVPN').rd) is STOCK['RouteDistinguisher']
    exabgp_intern.install(['ESI'])  # what is not canonical is not held
    assert (vars(LabelBase)['labels'], vars(IPVPNBase)['rd'], qualifier.Labels) == stock
    exabgp_intern.uninstall()


@on_main
@pytest.mark.usefixtures('installed')
def test_factories_make_the_canonical_object() -> None:
    for name, make in {
        'RouteDistinguisher': lambda cls: cls.make_from_elements('65000', 7),
        'Labels': lambda cls: cls.make_labels([100, 200]),
        'PathInfo': lambda cls: cls.make_from_ip('0.0.0.9'),
        'ESI': lambda cls: cls.make_default(),
        'EthernetTag': lambda cls: cls.make_etag(50),
    }.items():
        made = make(OURS[name])
        assert is_canonical(made) and made is make(OURS[name]) is OURS[name].from_packed(made._packed)
    assert OURS['PathInfo'].make_from_integer(9) is OURS['PathInfo'].make_from_ip('0.0.0.9')


@on_main
@pytest.mark.usefixtures('installed')
def test_three_kinds_of_no_path() -> None:
    PathInfo = OURS['PathInfo']
    none = PathInfo(b'')
    assert len({id(PathInfo.NOPATH), id(PathInfo.DISABLED), id(none)}) == 3
    assert [it.json() for it in (PathInfo.NOPATH, PathInfo.DISABLED, none)] == [
        it.json() for it in (STOCK['PathInfo'].NOPATH, STOCK['PathInfo'].DISABLED, STOCK['PathInfo'](b''))
    ]
    assert PathInfo.from_packed(b'') is PathInfo.DISABLED is STOCK['PathInfo'].DISABLED


@on_main
@pytest.mark.usefixtures('installed')
def test_default_arguments_keep_their_sentinels() -> None:
    sentinels = {id(getattr(STOCK['PathInfo'], name)) for name in ('NOPATH', 'DISABLED')} | {
        id(STOCK['RouteDistinguisher'].NORD),
        id(STOCK['Labels'].NOLABEL),
    }
    found = {
        (function.__module__, function.__qualname__)
        for module in list(sys.modules.values())
        if getattr(module, '__name__', '').startswith('exabgp.')
        for cls in vars(module).values()
        if inspect.isclass(cls)
        for function in map(inspect.unwrap, (getattr(it, '__func__', it) for it in vars(cls).values()))
        if inspect.isfunction(function) and any(id(value) in sentinels for value in function.__defaults__ or ())
    }
    assert len(found) >= 17
    assert decode('INET').path_info is OURS['PathInfo'].DISABLED


@on_main
def test_mutated_routes_decode_as_without() -> None:
    def outcomes() -> Any:
        return [outcome(lambda: printed(lines.decode(family, octets, path)[0])) for family, octets, path in data]  # noqa: B023

    dice = random.Random(6)
    data = []
    for _ in range(3000):
        family, octets, path = dice.choice(list(WIRE.values()))
        data.append((family, mutated(octets, dice), path))
    stock = outcomes()
    exabgp_intern.install(lines.classes())
    try:
        assert outcomes() == stock
    finally:
        exabgp_intern.uninstall()
    assert 500 < sum(isinstance(each[0], str) for each in stock) < 2900


def test_the_figures_are_of_exabgp_6_alone() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / 'scripts/accessors.py'), '--routes', '100', '--repeat', '1'],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if FROM_WIRE:
        assert done.returncode == 0 and 'labels, again' in done.stdout, done.stderr
    else:
        assert (done.returncode, done.stdout) == (2, '') and 'it is not ExaBGP 6' in done.stderr
