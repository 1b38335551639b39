"""What an operator would run instead: GoBGP, FRR, OpenBGPD, BIRD, and ExaBGP both ways, fed the same routes over TCP.

Each listens on loopback for one neighbor.  Its resident memory, that of all its processes, is measured before the first
UPDATE and after the last one.  What is not installed, or does not start here, is left out.
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
from typing import Any, Callable, NamedTuple

from speaker import KEEPALIVE, UPDATE, Speaker, connected, free_port, message

from benchmarks.common import COLOURS, INSTALLED, Child, Table, shown, spread
from exabgp_intern.report.internet import PEER, internet
from exabgp_intern.report.synthetic import synthetic
from exabgp_intern.report.workload import Workload

NAME = 'Other BGP speakers'
SIZE = (9, 5.5)
ADDRESS, SENDER = '127.0.0.1', '127.0.0.2'
ASN = 65000
SECONDS = 300  # for each speaker to take in all routes
QUIET = 2  # seconds without work after which it has


class Load(NamedTuple):
    """A table: its family for us and for the daemons, the AS that sends it, and what makes its UPDATEs."""

    title: str
    family: tuple[int, int]
    name: str
    peer: int
    workload: Callable[[int], Workload]


def _vpnv4(nlris: int) -> Callable[[int], Workload]:
    # from 10.0.0.0/24 on: BIRD drops routes to 0.0.0.0/8
    return lambda routes: synthetic('vpnv4', routes, 10, 100, nlris, 10 << 16)


LOADS = {
    '50': Load('VPNv4, 50 NLRIs an UPDATE', (1, 128), 'vpnv4', ASN, _vpnv4(50)),
    '1': Load('VPNv4, 1 NLRI an UPDATE', (1, 128), 'vpnv4', ASN, _vpnv4(1)),
    'internet': Load('Internet, 3.3 NLRIs an UPDATE', (1, 1), 'ipv4', PEER, internet),
}

GOBGP = """
[global.config]
as = {ASN}
router-id = "{ADDRESS}"
port = {port}
local-address-list = ["{ADDRESS}"]
[[neighbors]]
[neighbors.config]
neighbor-address = "{SENDER}"
peer-as = {peer}
[neighbors.transport.config]
passive-mode = true
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "{family}"
"""
BIRD = """
router id {ADDRESS};
log stderr all;
{table} table received;
protocol device {{ }}
protocol bgp sender {{
    local {ADDRESS} port {port} as {ASN}; neighbor {SENDER} as {peer}; multihop; passive; strict bind;
    {family} {{ table received; import all; export none; }};
}}
"""
FRR = """
router bgp {ASN}
 bgp router-id {ADDRESS}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor {SENDER} remote-as {peer}
 neighbor {SENDER} passive
 address-family {family}
  neighbor {SENDER} activate
"""
OPENBGPD = """
AS {ASN}
router-id {ADDRESS}
fib-update no
socket "{directory}/control"
listen on {ADDRESS} port {port}
neighbor {SENDER} {{
  remote-as {peer}
  local-address {ADDRESS}
  passive
  announce {family}
}}
allow from any
"""
EXABGP = """
neighbor {SENDER} {{
    router-id {ADDRESS}; local-address {ADDRESS}; local-as {ASN}; peer-as {peer}; passive true; adj-rib-in true;
    family {{ {family}; }}
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
    version: tuple[str, ...]
    families: dict[str, tuple[str, str]]  # by load: the {family} and the {table} of what stands above
    path: str = os.pathsep.join((os.environ.get('PATH', os.defpath), '/usr/sbin'))  # Debian puts daemons into sbin


IPV4 = {'vpnv4': ('ipv4 mpls-vpn', ''), 'ipv4': ('ipv4 unicast', '')}
EXABGP_DAEMON = Daemon(EXABGP, (sys.executable, '-c', RUN), (), r'routes held: (\d+)', (), IPV4)
PREFIXES = r'{SENDER} .*:\d\d +(\d+)'  # of a summary of neighbors, as Cisco prints it
DAEMONS = {
    'stock': EXABGP_DAEMON,
    **dict.fromkeys(INSTALLED, EXABGP_DAEMON),
    'GoBGP': Daemon(
        GOBGP,
        ('gobgpd', '-f', 'conf', '-t', 'toml', '--api-hosts', '{ADDRESS}:{api}', '--pprof-disable'),
        ('gobgp', '-u', '{ADDRESS}', '-p', '{api}', 'global', 'rib', 'summary', '-a', '{table}'),
        r'Path: (\d+)',
        ('gobgpd', '--version'),
        {'vpnv4': ('l3vpn-ipv4-unicast', 'vpnv4'), 'ipv4': ('ipv4-unicast', 'ipv4')},
    ),
    'FRR': Daemon(
        FRR,
        ('bgpd', '-f', 'conf', '-p', '{port}', '-l', '{ADDRESS}', '-ZnS', '-P', '0', '-i', 'pid', '--vty_socket', '.'),
        ('vtysh', '--vty_socket', '.', '-d', 'bgpd', '-c', 'show bgp {family} summary'),
        PREFIXES,
        ('bgpd', '--version'),
        {'vpnv4': ('ipv4 vpn', ''), 'ipv4': ('ipv4 unicast', '')},
        # OpenBGPD's program has the same name
        os.pathsep.join(('/usr/lib/frr', '/usr/libexec/frr', '/usr/bin')),
    ),
    'OpenBGPD': Daemon(
        OPENBGPD,
        ('bgpd', '-d', '-f', 'conf'),
        ('bgpctl', '-s', 'control', 'show'),
        PREFIXES,
        ('bgpd', '-V'),
        {'vpnv4': ('IPv4 vpn', ''), 'ipv4': ('IPv4 unicast', '')},
    ),
    'BIRD': Daemon(
        BIRD,
        ('bird', '-f', '-c', 'conf', '-s', 'control', '-P', 'pid'),
        ('birdc', '-s', 'control', 'show', 'route', 'table', 'received', 'count'),
        r'(\d+) of',
        ('bird', '--version'),
        {'vpnv4': ('vpn4 mpls', 'vpn4'), 'ipv4': ('ipv4', 'ipv4')},
    ),
}


def run(child: Child) -> dict[str, Any]:
    """Return by speaker its version and, by load, the spread of the resident octets a route; or why there is none."""
    routes, repeat = (1000, 1) if child.quick else (100_000, 3)
    results: dict[str, Any] = {'routes': routes, 'speakers': {}}
    for name, daemon in DAEMONS.items():
        missing = [command[0] for command in (daemon.command, daemon.ask) if command and not _found(daemon, command[0])]
        results['speakers'][name] = {'skipped': f'{missing[0]} is not installed'} if missing else {'loads': {}}
    measured = {name: of for name, of in results['speakers'].items() if 'loads' in of}
    for _ in range(repeat):
        for name, of in measured.items():
            for load in LOADS:
                if 'skipped' in of:
                    break
                found = child(name=name, load=load, routes=routes, quiet=0.5 if child.quick else QUIET)
                if 'skipped' in found:
                    of['skipped'] = found['skipped']
                else:
                    of['loads'].setdefault(load, []).append(found)
    for name, of in measured.items():
        if 'skipped' not in of:
            of['version'] = _version(DAEMONS[name])
            of['loads'] = {load: _spreads(series, routes) for load, series in of['loads'].items()}
    return results


def _spreads(series: list[dict[str, float]], routes: int) -> dict[str, dict[str, float]]:
    units = {'base': 1, 'resident': routes, 'seconds': routes}
    return {figure: spread([one[figure] / unit for one in series]) for figure, unit in units.items()}


def _found(daemon: Daemon, program: str) -> str | None:
    return shutil.which(program, path=daemon.path)


def _version(daemon: Daemon) -> str:
    if not daemon.version:
        return ''
    program, *options = daemon.version
    done = subprocess.run([_found(daemon, program) or program, *options], capture_output=True, text=True, timeout=30)
    found = re.search(r'\d+(\.\d+)+', done.stdout + done.stderr)
    return found[0] if found else ''


def measure(name: str, load: str, routes: int, quiet: float = QUIET) -> dict[str, Any]:
    """Return the octets of resident memory of a speaker: its base, and what the routes added; seconds of processor.

    Return as `skipped` the last line of its log if it ends at its start.  Raises RuntimeError if it does not hold all
    of the routes at the end.
    """
    import psutil

    daemon, what = DAEMONS[name], LOADS[load]
    family, table = daemon.families[what.name]
    values: dict[str, Any] = {
        **{'name': name, 'install': INSTALLED.get(name), 'port': free_port(), 'api': free_port()},
        **{'ADDRESS': ADDRESS, 'SENDER': SENDER, 'ASN': ASN, 'peer': what.peer, 'family': family, 'table': table},
    }
    updates = [message(UPDATE, body) for _, body in what.workload(routes).updates]

    def command(words: tuple[str, ...]) -> list[str]:
        program, *rest = words
        return [_found(daemon, program) or program, *(word.format(**values) for word in rest)]

    with TemporaryDirectory() as directory, open(os.path.join(directory, 'log'), 'w+') as log:
        # OpenBGPD refuses a configuration that others can read
        with open(os.open(os.path.join(directory, 'conf'), os.O_CREAT | os.O_WRONLY, 0o600), 'w') as file:
            file.write(daemon.configuration.format(directory=directory, **values))
        started = subprocess.Popen(
            command(daemon.command),
            cwd=directory,
            env={**os.environ, **{key: setting.format(**values) for key, setting in SETTINGS.items()}},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            process = psutil.Process(started.pid)
            try:
                session = connected(values['port'], [what.family], asn=what.peer)
            except ConnectionRefusedError:
                log.seek(0)
                return {'skipped': f'does not listen: {(log.read().splitlines() or [""])[-1]}'}
            with session:
                _settle(process, session, quiet)
                before = _used(process)
                for update in updates:
                    session.send(update)
                _settle(process, session, quiet)
                after = _used(process)
                if daemon.ask:
                    asked = subprocess.check_output(command(daemon.ask), cwd=directory, text=True, timeout=60)
                else:
                    process.send_signal(signal.SIGWINCH)
                    _settle(process, session, quiet)
                    log.seek(0)
                    asked = log.read()
        finally:
            # OpenBGPD's other processes end with the first one
            started.kill()
            started.wait()
    found = re.search(daemon.answer.format(**values), asked)
    if not found or int(found[1]) != routes:
        raise RuntimeError(f'{name} does not hold {routes} routes: {asked[-500:]}')
    resident, seconds = after.resident - before.resident, after.seconds - before.seconds
    return {'base': before.resident, 'resident': resident, 'seconds': seconds}


class Used(NamedTuple):
    """What a speaker and its children have used: seconds of processor, octets of resident memory."""

    seconds: float
    resident: int


def _used(process: Any) -> Used:
    family = [process, *process.children(recursive=True)]
    times = [each.cpu_times() for each in family]
    return Used(sum(each.user + each.system for each in times), sum(each.memory_info().rss for each in family))


def _settle(process: Any, session: Speaker, seconds: float) -> None:
    """Return when `process` has done next to nothing, and kept its memory, for `seconds`."""
    deadline = time.monotonic() + SECONDS
    interval = min(1, seconds)
    quiet, last = 0.0, Used(0.0, 0)
    while quiet < seconds:
        if time.monotonic() > deadline:
            raise RuntimeError(f'not settled after {SECONDS} seconds')
        time.sleep(interval)
        session.send(message(KEEPALIVE))
        now = _used(process)
        quiet = quiet + interval if now.seconds - last.seconds < 0.05 and now.resident == last.resident else 0
        last = now


def tables(results: dict[str, Any]) -> list[Table]:
    """Return a table of memory and one of time, a row for each speaker."""
    routes = f'{results["routes"]:,} routes over TCP'
    loads = [load.title for load in LOADS.values()]
    memory, seconds = [], []
    for name, of in results['speakers'].items():
        title = _title(name, of)
        if 'skipped' in of:
            memory.append((title, of['skipped'], *['-'] * len(LOADS)))
            continue
        base, *_ = ({key: value / 2**20 for key, value in each['base'].items()} for each in of['loads'].values())
        memory.append((title, shown(base, '.0f'), *(shown(of['loads'][load]['resident'], ',.0f') for load in LOADS)))
        spreads = ({key: 1e6 * value for key, value in of['loads'][load]['seconds'].items()} for load in LOADS)
        seconds.append((title, *(shown(each, '.1f') for each in spreads)))
    return [
        Table(f'{routes}, resident bytes a route over the base', ('', 'base, MiB', *loads), memory),
        Table(f'{routes}, µs of processor a route', ('', *loads), seconds),
    ]


def _title(name: str, of: dict[str, Any]) -> str:
    return f'ExaBGP, {name}' if name in COLOURS else f'{name} {of.get("version", "")}'.strip()


def draw(results: dict[str, Any], figure: Any) -> None:
    """Draw resident bytes a route of each speaker and load."""
    axes = figure.subplots()
    speakers = {name: of for name, of in results['speakers'].items() if 'skipped' not in of}
    for shift, load, colour in zip((-0.27, 0, 0.27), LOADS, ('#1f77b4', '#aec7e8', '#ff7f0e')):
        bars = axes.barh(
            [at + shift for at in range(len(speakers))],
            [of['loads'][load]['resident']['median'] for of in speakers.values()],
            height=0.27,
            color=colour,
            label=LOADS[load].title,
        )
        axes.bar_label(bars, fmt='{:,.0f}', padding=2, fontsize='small')
    axes.set_yticks(range(len(speakers)), [_title(name, of) for name, of in speakers.items()])
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.xaxis.set_major_formatter('{x:,.0f}')
    axes.set_xlabel(f'resident bytes a route, {results["routes"]:,} routes over TCP')
    axes.legend(loc='lower right')
