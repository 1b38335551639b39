"""What an operator would run instead: GoBGP, BIRD and FRR, and ExaBGP both ways, fed the same routes over TCP.

Each listens on loopback for one neighbor; its resident memory before the first UPDATE is its own base.  What is not
installed is left out.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from speaker import KEEPALIVE, UPDATE, Speaker, connected, free_port, message

from benchmarks.common import COLOURS, INSTALLED, Child, Table, shown, spread
from exabgp_intern.report.synthetic import synthetic

NAME = 'Other BGP speakers'
SIZE = (9, 4.5)
ADDRESS, SENDER = '127.0.0.1', '127.0.0.2'
ASN = 65000
SECONDS = 300  # for each speaker to take in all routes
QUIET = 2  # seconds without work after which it has
VRFS, LABELS = 10, 100
FIRST = 10 << 16  # 10.0.0.0/24: BIRD drops routes to 0.0.0.0/8
NLRIS = ('50', '1')

GOBGP = """
[global.config]
as = {ASN}
router-id = "{ADDRESS}"
port = {port}
local-address-list = ["{ADDRESS}"]
[[neighbors]]
[neighbors.config]
neighbor-address = "{SENDER}"
peer-as = {ASN}
[neighbors.transport.config]
passive-mode = true
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "l3vpn-ipv4-unicast"
"""
BIRD = """
router id {ADDRESS};
log stderr all;
vpn4 table vpntab4;
protocol device {{ }}
protocol bgp sender {{
    local {ADDRESS} port {port} as {ASN}; neighbor {SENDER} as {ASN}; passive; strict bind;
    vpn4 mpls {{ table vpntab4; import all; export none; }};
}}
"""
FRR = """
router bgp {ASN}
 bgp router-id {ADDRESS}
 no bgp default ipv4-unicast
 neighbor {SENDER} remote-as {ASN}
 neighbor {SENDER} passive
 address-family ipv4 vpn
  neighbor {SENDER} activate
"""
EXABGP = """
neighbor {SENDER} {{
    router-id {ADDRESS}; local-address {ADDRESS}; local-as {ASN}; peer-as {ASN}; passive true; adj-rib-in true;
    family {{ ipv4 mpls-vpn; }}
}}
"""
# ExaBGP's own program, which at a signal says how many routes it holds.
RUN = """
import gc, signal, sys
sys.argv = ['exabgp', 'server', 'conf']
if '{name}' != 'stock':
    import exabgp_intern
    exabgp_intern.install(**{install})
from exabgp.application.main import main
from exabgp.rib.incoming import IncomingRIB

def count(*_):
    ribs = [each for each in gc.get_objects() if isinstance(each, IncomingRIB)]
    print('routes held:', sum(1 for rib in ribs for _ in rib.cached_changes()), flush=True)

signal.signal(signal.SIGWINCH, count)
sys.exit(main())
"""
SETTINGS = {
    'exabgp_tcp_bind': ADDRESS,
    'exabgp_tcp_port': '{port}',
    'exabgp_daemon_user': getpass.getuser(),
    'exabgp_api_cli': 'false',
    'exabgp_log_level': 'CRITICAL',
}


class Daemon(NamedTuple):
    """How a BGP speaker is started and asked, in a directory of its own where `conf` is its configuration."""

    configuration: str
    command: tuple[str, ...]
    ask: tuple[str, ...]  # what prints how many routes it holds; by a signal if there is nothing
    answer: str  # where in the answer that stands
    version: tuple[str, ...] = ()


EXABGP_DAEMON = Daemon(EXABGP, (sys.executable, '-c', RUN), (), r'routes held: (\d+)')
DAEMONS = {
    'stock': EXABGP_DAEMON,
    **dict.fromkeys(INSTALLED, EXABGP_DAEMON),
    'GoBGP': Daemon(
        GOBGP,
        ('gobgpd', '-f', 'conf', '-t', 'toml', '--api-hosts', '{ADDRESS}:{api}', '--pprof-disable'),
        ('gobgp', '-u', '{ADDRESS}', '-p', '{api}', 'global', 'rib', 'summary', '-a', 'vpnv4'),
        r'Path: (\d+)',
        ('gobgpd', '--version'),
    ),
    'FRR': Daemon(
        FRR,
        ('bgpd', '-f', 'conf', '-p', '{port}', '-l', '{ADDRESS}', '-ZnS', '-P', '0', '-i', 'pid', '--vty_socket', '.'),
        ('vtysh', '--vty_socket', '.', '-d', 'bgpd', '-c', 'show bgp ipv4 vpn summary'),
        r'{SENDER} .*:\d\d +(\d+)',
        ('bgpd', '--version'),
    ),
    'BIRD': Daemon(
        BIRD,
        ('bird', '-f', '-c', 'conf', '-s', 'control', '-P', 'pid'),
        ('birdc', '-s', 'control', 'show', 'route', 'table', 'vpntab4', 'count'),
        r'(\d+) of',
        ('bird', '--version'),
    ),
}
# where Debian puts what is no command for users
PATH = os.pathsep.join((os.environ.get('PATH', os.defpath), '/usr/sbin', '/usr/lib/frr'))


def run(child: Child) -> dict[str, Any]:
    """Return by speaker its version and, by NLRIs an UPDATE, the spread of the resident octets a route."""
    routes, repeat = (1000, 1) if child.quick else (100_000, 3)
    results: dict[str, Any] = {'routes': routes, 'speakers': dict.fromkeys(DAEMONS)}
    rounds: dict[str, dict[str, list[Any]]] = {}
    for _ in range(repeat):
        for name, daemon in DAEMONS.items():
            missing = [command[0] for command in (daemon.command, daemon.ask) if command and not _found(command[0])]
            if missing:
                results['speakers'][name] = {'skipped': f'{missing[0]} is not installed'}
                continue
            for nlris in NLRIS:
                rounds.setdefault(name, {}).setdefault(nlris, []).append(
                    child(name=name, nlris=int(nlris), routes=routes, quiet=1 if child.quick else QUIET)
                )
    for name, by_nlris in rounds.items():
        results['speakers'][name] = {
            'version': _version(DAEMONS[name]),
            **{
                nlris: {
                    **{figure: spread([one[figure] / routes for one in series]) for figure in ('resident', 'seconds')},
                    'base': spread([one['base'] for one in series]),
                }
                for nlris, series in by_nlris.items()
            },
        }
    return results


def _found(program: str) -> str | None:
    return shutil.which(program, path=PATH)


def _version(daemon: Daemon) -> str:
    if not daemon.version:
        return ''
    program, *options = daemon.version
    done = subprocess.run([_found(program) or program, *options], capture_output=True, text=True, timeout=30)
    found = re.search(r'\d+(\.\d+)+', done.stdout + done.stderr)
    return found[0] if found else ''


def measure(name: str, nlris: int, routes: int, quiet: int = QUIET) -> dict[str, float]:
    """Return the octets of resident memory of a speaker: its base, and what the routes added; seconds of processor.

    Raises RuntimeError if it does not hold all of them at the end.
    """
    import psutil

    daemon = DAEMONS[name]
    values: dict[str, Any] = {
        **{'name': name, 'install': INSTALLED.get(name), 'port': free_port(), 'api': free_port()},
        **{'ADDRESS': ADDRESS, 'SENDER': SENDER, 'ASN': ASN},
    }
    updates = [message(UPDATE, body) for _, body in synthetic('vpnv4', routes, VRFS, LABELS, nlris, FIRST).updates]

    def command(words: tuple[str, ...]) -> list[str]:
        program, *rest = words
        return [_found(program) or program, *(word.format(**values) for word in rest)]

    with TemporaryDirectory() as directory, open(os.path.join(directory, 'log'), 'w+') as log:
        with open(os.path.join(directory, 'conf'), 'w') as file:
            file.write(daemon.configuration.format(**values))
        started = subprocess.Popen(
            command(daemon.command),
            cwd=directory,
            env={**os.environ, **{key: setting.format(**values) for key, setting in SETTINGS.items()}},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            process = psutil.Process(started.pid)
            with connected(values['port'], [(1, 128)]) as session:
                _settle(process, session, quiet)
                base, before = process.memory_info().rss, process.cpu_times()
                for update in updates:
                    session.send(update)
                _settle(process, session, quiet)
                resident, after = process.memory_info().rss - base, process.cpu_times()
                if daemon.ask:
                    asked = subprocess.check_output(command(daemon.ask), cwd=directory, text=True, timeout=60)
                else:
                    process.send_signal(signal.SIGWINCH)
                    _settle(process, session, quiet)
                    log.seek(0)
                    asked = log.read()
        finally:
            started.kill()
            started.wait()
    found = re.search(daemon.answer.format(**values), asked)
    if not found or int(found[1]) != routes:
        raise RuntimeError(f'{name} does not hold {routes} routes: {asked[-500:]}')
    return {'base': base, 'resident': resident, 'seconds': after.user + after.system - before.user - before.system}


def _settle(process: Any, session: Speaker, seconds: int) -> None:
    """Return when `process` has done next to nothing, and kept its memory, for `seconds`."""
    deadline = time.monotonic() + SECONDS
    quiet, last = 0, (0.0, 0)
    while quiet < seconds:
        if time.monotonic() > deadline:
            raise RuntimeError(f'not settled after {SECONDS} seconds')
        time.sleep(1)
        session.send(message(KEEPALIVE))
        times = process.cpu_times()
        now = (times.user + times.system, process.memory_info().rss)
        quiet = quiet + 1 if now[0] - last[0] < 0.05 and now[1] == last[1] else 0
        last = now


def tables(results: dict[str, Any]) -> list[Table]:
    """Return one table, a row for each speaker."""
    rows = []
    for name, of in results['speakers'].items():
        title = _title(name, of)
        if 'skipped' in of:
            rows.append((title, of['skipped'], *['-'] * 4))
            continue
        rows.append(
            (
                title,
                shown({key: value / 2**20 for key, value in of['50']['base'].items()}, '.0f'),
                *(shown(of[nlris]['resident'], ',.0f') for nlris in NLRIS),
                *(shown({key: 1e6 * value for key, value in of[nlris]['seconds'].items()}, '.1f') for nlris in NLRIS),
            )
        )
    columns = ('', 'base, MiB', 'bytes a route, 50 NLRIs an UPDATE', '1', 'µs a route, 50', '1')
    return [Table(f'{results["routes"]:,} VPNv4 routes over TCP, resident memory over the base', columns, rows)]


def _title(name: str, of: dict[str, Any]) -> str:
    return f'ExaBGP, {name}' if name in COLOURS else f'{name} {of.get("version", "")}'.strip()


def draw(results: dict[str, Any], figure: Any) -> None:
    """Draw bytes a route of each speaker, with 50 NLRIs an UPDATE and with 1."""
    axes = figure.subplots()
    speakers = {name: of for name, of in results['speakers'].items() if 'skipped' not in of}
    for shift, nlris, colour in zip((-0.2, 0.2), NLRIS, ('#1f77b4', '#aec7e8')):
        bars = axes.barh(
            [at + shift for at in range(len(speakers))],
            [of[nlris]['resident']['median'] for of in speakers.values()],
            height=0.4,
            color=colour,
            label=f'{nlris} NLRI{"s" if nlris != "1" else ""} an UPDATE',
        )
        axes.bar_label(bars, fmt='{:,.0f}', padding=2, fontsize='small')
    axes.set_yticks(range(len(speakers)), [_title(name, of) for name, of in speakers.items()])
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.xaxis.set_major_formatter('{x:,.0f}')
    axes.set_xlabel(f'resident bytes a VPNv4 route, {results["routes"]:,} routes over TCP')
    axes.legend(loc='lower right')
