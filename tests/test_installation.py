"""install() and uninstall(), each in a process of its own: what they do depends on what was imported."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from tests.support import SLOTS

PREPARE = """
import copy, importlib, pickle, sys
import exabgp_intern
from exabgp_intern import install, uninstall
from exabgp_intern.installation import exabgp_version
NAMES = {'RouteDistinguisher': 'nlri.qualifier.rd', 'Labels': 'nlri.qualifier.labels',
         'PathInfo': 'nlri.qualifier.path', 'ESI': 'nlri.qualifier.esi', 'EthernetTag': 'nlri.qualifier.etag',
         'NextHop': 'attribute.nexthop'}

def theirs(name):
    return getattr(importlib.import_module('exabgp.bgp.message.update.' + NAMES[name]), name)

# the classes of ExaBGP 4.2 have slots, which the first protocols refuse
FIRST = FIRST_PROTOCOL

def holders(cls):
    return [(name, attribute) for name, module in list(sys.modules.items())
            if name.split('.')[0] == 'exabgp' for attribute, value in list(vars(module).items()) if value is cls]

def check(installed):
    for name in NAMES:
        ours = getattr(exabgp_intern, name)
        assert theirs(name) is (ours if installed else ours._stock), name
        assert holders(ours._stock if installed else ours) == [], name
        assert len(holders(theirs(name))) >= 3, name

def vpn(last=1):
    from exabgp_intern import lines
    lines.start()
    wire = bytes((120, 0, 6, 65, 0, 0, 0, 1, 0, 0, 0, 1, 10, 0, 0, last))
    return lines.decode((1, 128), wire, False)[0]
""".replace('FIRST_PROTOCOL', str(2 if SLOTS else 0))


# of ExaBGP 4.2.21, on Python 3.10 and later, and of 4.2.17
IGNORED = ('ignore:_SixMetaPathImporter:ImportWarning', 'ignore:invalid escape sequence:DeprecationWarning')
WARNINGS = ('-Werror', *(f'-W{each}' for each in IGNORED))


def run(script: str) -> None:
    done = subprocess.run(
        [sys.executable, *WARNINGS, '-c', PREPARE + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_importing_the_package_does_not_import_exabgp() -> None:
    run("assert not [name for name in sys.modules if name.split('.')[0] == 'exabgp']")


def test_a_process_that_installs_imports_none_of_the_tools() -> None:
    run("""
    install()
    vpn()
    exabgp_intern.stats()
    assert not [name for name in sys.modules if name.startswith(('exabgp_intern.daemon', 'exabgp_intern.report'))]
    """)


@pytest.mark.parametrize('before', ['', 'import exabgp.reactor.loop', 'import exabgp.configuration.configuration'])
def test_it_works_before_and_after_exabgp_was_imported(before: str) -> None:
    run(f"""
    {before}
    install()
    import exabgp.reactor.loop, exabgp.configuration.configuration
    check(True)
    assert vpn(1).rd is vpn(2).rd and vpn(1).labels is vpn(2).labels
    install()
    check(True)
    uninstall()
    check(False)
    assert vpn(1).rd is not vpn(2).rd
    uninstall()
    check(False)
    install()
    check(True)
    """)


def test_modules_imported_between_are_put_back() -> None:
    run("""
    install()
    import exabgp.configuration.static.mpls as between
    assert between.Labels is exabgp_intern.Labels
    uninstall()
    assert between.Labels is exabgp_intern.Labels._stock
    check(False)
    """)


def test_a_module_of_a_user_is_left_alone() -> None:
    run("""
    import types
    from exabgp.bgp.message.update.nlri.qualifier.rd import RouteDistinguisher
    for name in ('exabgpother', 'users', 'exabgp_internal'):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].bound = RouteDistinguisher
    install()
    for name in ('exabgpother', 'users', 'exabgp_internal'):
        assert sys.modules[name].bound is RouteDistinguisher
    assert exabgp_intern.RouteDistinguisher._stock is RouteDistinguisher
    """)


def test_mac_is_installed_when_it_is_asked_for() -> None:
    run("""
    from exabgp_intern import MAC, ESI
    install()
    from exabgp.bgp.message.update.nlri.evpn import mac
    assert mac.MACQUAL is MAC._stock and mac.ESI is ESI
    uninstall()
    install(classes=['MAC'])
    assert mac.MACQUAL is MAC and mac.ESI is ESI._stock
    install(classes=[ESI])
    assert mac.MACQUAL is MAC and mac.ESI is ESI
    uninstall()
    assert mac.MACQUAL is MAC._stock and mac.ESI is ESI._stock
    try:
        install(classes=['Mac'])
    except ValueError as wrong:
        assert "'Mac'" in str(wrong) and 'MAC' in str(wrong)
    else:
        raise SystemExit('took Mac')
    check(False)
    """)


def test_routes_of_before_and_after_stand_side_by_side() -> None:
    run("""
    old = vpn()
    install()
    new = vpn()
    assert type(old.rd) is exabgp_intern.RouteDistinguisher._stock
    assert type(new.rd) is exabgp_intern.RouteDistinguisher._shared
    assert old == new and new == old and not old != new and hash(old) == hash(new)
    assert old.index() == new.index() and copy.deepcopy(old).index() == copy.deepcopy(new).index()
    assert old.path_info is new.path_info is exabgp_intern.PathInfo.NOPATH
    assert {old: 1}[new] == 1
    uninstall()
    again = vpn()
    assert again == new == old and type(new.rd) is exabgp_intern.RouteDistinguisher._shared
    assert copy.deepcopy(new).rd is new.rd and new.json() == again.json()
    path = exabgp_intern.PathInfo(b'abcd')
    assert path == path._stock(b'abcd') and path._stock(b'abcd') == path
    """)


@pytest.mark.parametrize('at', ['pass', 'install()', 'install(); uninstall()'])
@pytest.mark.parametrize('then', ['pass', 'install()', 'uninstall()'])
def test_pickling_works_in_every_state(at: str, then: str) -> None:
    run(f"""
    stock_route = vpn()
    install()
    route = vpn()
    uninstall()
    samples = dict(RouteDistinguisher=bytes(8), Labels=[100], PathInfo=b'abcd', ESI=bytes(10), EthernetTag=5,
                   NextHop='2001:0db8::1')
    classes = [getattr(exabgp_intern, name) for name in samples]
    both = [kind(value) for cls, value in zip(classes, samples.values()) for kind in (cls, cls._stock)]
    sentinels = [exabgp_intern.RouteDistinguisher.NORD, exabgp_intern.Labels.NOLABEL, exabgp_intern.PathInfo.NOPATH]
    {at}
    for protocol in range(FIRST, pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps((both, sentinels, stock_route, route), protocol)
        {then}
        qualifiers, others, stock_again, again = pickle.loads(data)
        for was, now in zip(both, qualifiers):
            assert was == now and str(was) == str(now) and was.pack() == now.pack(), (was, now)
            if type(was) in [cls._shared for cls in classes]:
                assert now is was
        for was, now in zip(sentinels, others):
            assert was.pack() == now.pack() and was.json() == now.json() and len(was) == len(now)
            assert not hasattr(was, '__copy__') or {at == 'install()'} <= (now is was)
        for was, now in ((stock_route, stock_again), (route, again)):
            assert was.pack() == now.pack() and was.json() == now.json()
        {at}
    """)


def test_a_pickle_that_exabgp_wrote_loads_once_it_is_installed() -> None:
    run("""
    from exabgp_intern import Labels, NextHop, RouteDistinguisher
    stock = [RouteDistinguisher._stock(bytes(8)), Labels._stock([100, 200]), NextHop._stock('192.0.2.1')]
    data = [pickle.dumps(stock, protocol) for protocol in range(FIRST, pickle.HIGHEST_PROTOCOL + 1)]
    install()
    for one in data:
        for was, now in zip(stock, pickle.loads(one)):
            assert was == now and now == was and str(was) == str(now) and was.pack() == now.pack()
            assert isinstance(now, theirs(type(was).__name__)) and copy.deepcopy(now) == was
    odd = exabgp_intern.EthernetTag._stock(1.5)
    uninstall()
    if FIRST:
        sys.exit()
    data = pickle.dumps(odd, 0)
    install()
    again = pickle.loads(data)
    assert type(again) is exabgp_intern.EthernetTag and again.tag == 1.5 and str(again) == str(odd)
    """)


@pytest.mark.parametrize('how', ['reload', 'fresh'])
def test_it_can_be_imported_again_while_it_is_installed(how: str) -> None:
    run(f"""
    how = {how!r}
    STOCK = {{name: theirs(name) for name in NAMES}}
    from exabgp.bgp.message import Update
    decoder = vars(Update)['unpack_message']
    install()
    before = vpn()
    earlier = exabgp_intern.RouteDistinguisher
    if how == 'reload':
        for name in sorted(NAMES):
            module = sys.modules[getattr(exabgp_intern, name).__module__]
            importlib.reload(module)
    else:
        for name in [name for name in sys.modules if name.split('.')[0] == 'exabgp_intern']:
            del sys.modules[name]
        import exabgp_intern
        from exabgp_intern import install, uninstall
    assert exabgp_intern.RouteDistinguisher is not earlier
    for name in NAMES:
        assert getattr(exabgp_intern, name)._stock is STOCK[name], name
    rd = bytes(before.rd.rd)
    again = exabgp_intern.RouteDistinguisher(rd)
    assert again is exabgp_intern.RouteDistinguisher(rd) is not before.rd and again == before.rd == again
    install()
    check(True)
    after = vpn()
    assert after.rd is again and after == before and before == after and after.json() == before.json()
    assert earlier(rd) is before.rd
    for route in (before, after):
        assert copy.deepcopy(route).rd is route.rd
    assert pickle.loads(pickle.dumps(STOCK['ESI'](bytes(10)))) is exabgp_intern.ESI(bytes(10))
    uninstall()
    check(False)
    assert vars(Update)['unpack_message'] is decoder
    import copyreg
    assert not [stock for stock in copyreg.dispatch_table if stock.__module__.startswith('exabgp')]
    assert vpn() == before == after
    install()
    check(True)
    """)


def test_what_an_earlier_import_installed_can_be_uninstalled() -> None:
    run("""
    stock = {name: theirs(name) for name in NAMES}
    from exabgp.bgp.message import Update
    decoder = vars(Update)['unpack_message']
    install()
    for name in [name for name in sys.modules if name.split('.')[0] == 'exabgp_intern']:
        del sys.modules[name]
    import exabgp_intern
    exabgp_intern.uninstall()
    check(False)
    assert {name: theirs(name) for name in NAMES} == stock and vars(Update)['unpack_message'] is decoder
    """)


def test_a_reducer_of_the_user_is_kept() -> None:
    run("""
    import copyreg
    stock = theirs('ESI')
    mine = lambda it: (stock, (it.esi,))
    copyreg.pickle(stock, mine)
    install()
    assert copyreg.dispatch_table[stock] is mine
    uninstall()
    assert copyreg.dispatch_table[stock] is mine
    assert exabgp_intern.RouteDistinguisher._stock not in copyreg.dispatch_table
    """)


@pytest.mark.parametrize(
    ('name', 'change'),
    [
        ('RouteDistinguisher', change)
        for change in (
            'cls.json = lambda self: repr(self.rd)\n    cls.__init__ = lambda self, rd: setattr(self, "rd", rd)',
            'init = cls.__init__\n    cls.__init__ = lambda self, rd, more=0: init(self, rd)',
            'cls.__init__ = lambda self, rd: (setattr(self, "rd", rd[::-1]), setattr(self, "_len", 8))[0]',
            'cls.__slots__ = ()\n    cls.__init__ = lambda self, rd: None',
            'del cls.json',
            'del sys.modules[cls.__module__]\n    importlib.import_module(cls.__module__)',
            'delattr(sys.modules[cls.__module__], cls.__name__)',
        )
    ]
    + [
        ('NextHop', change)
        for change in (
            'init = cls.__init__\n    cls.__init__ = lambda self, string, packed=None, more=0: init(self, string)',
            'cls.init = lambda self, string, packed: vars(self).update(_string=string, _packed=packed, afi=1, more=1)',
            'cls.init = lambda self, string, packed: vars(self).update(_string=string, _packed=packed, afi=1)',
            'cls.__repr__ = lambda self: str(id(self))',
            'cls.ton = None',
        )
    ],
)
def test_another_shape_is_refused_and_nothing_is_changed(name: str, change: str) -> None:
    run(f"""
    exabgp_intern.RouteDistinguisher, exabgp_intern.NextHop
    cls = theirs({name!r})
    {change}
    exabgp_version()  # imports a module of ExaBGP 4.2
    before = [dict(vars(module)) for name, module in sorted(sys.modules.items()) if name.split('.')[0] == 'exabgp']
    try:
        install()
    except exabgp_intern.UnsupportedExaBGP as refused:
        assert {name!r} in str(refused) and exabgp_version() in str(refused), refused
    else:
        raise SystemExit('installed')
    after = [dict(vars(module)) for name, module in sorted(sys.modules.items()) if name.split('.')[0] == 'exabgp']
    assert before == after
    import copyreg
    assert not [stock for stock in copyreg.dispatch_table if stock.__module__.startswith('exabgp')]
    install(classes=['ESI', 'Labels'])
    assert theirs('ESI') is exabgp_intern.ESI
    """)


def test_another_python_is_refused_and_nothing_is_changed() -> None:
    run("""
    sys.implementation.name = 'pypy'
    try:
        install()
    except exabgp_intern.UnsupportedExaBGP as refused:
        assert str(refused) == 'needs CPython, and this is pypy'
    else:
        raise SystemExit('installed')
    check(False)
    assert exabgp_intern.installation.sets() == {}
    """)


def test_without_exabgp_it_says_so() -> None:
    run("""
    sys.modules['exabgp'] = None
    try:
        install()
    except exabgp_intern.UnsupportedExaBGP as refused:
        assert 'RouteDistinguisher' in str(refused)
    else:
        raise SystemExit('installed')
    uninstall()
    """)
