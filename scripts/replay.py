#!/usr/bin/env python
"""Play routes over TCP to a stock ExaBGP and to an interned one, and compare memory and time of the whole process.

Each receiver is a process of its own, `exabgp` or `exabgp-intern run`, with `adj-rib-in true`, on
127.0.0.1 and a free port, with ExaBGP's settings as they come.  The routes are VPNv4, of 10 VRFs with 100 labels, in
UPDATEs of 50 NLRIs, and again with 1 in each.  After the last UPDATE the speaker asks for a route refresh: the answer
says that the receiver has taken in all before.  Seconds are those from the first UPDATE to that answer, bytes the
resident memory of the process at that moment; stock and interned take turns, and the median of the ratios counts.

Variables such as exabgp_intern_stats_file are handed on to the receivers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from struct import pack
from typing import Any

import psutil
from speaker import ROUTE_REFRESH, UPDATE, connected, free_port, message

from exabgp_intern.installation import exabgp_version
from exabgp_intern.report.synthetic import synthetic

WAYS = {
    'stock': (str(Path(sys.executable).parent / 'exabgp'),),
    'interned': (sys.executable, '-m', 'exabgp_intern', 'run'),
}
UNICAST, VPN = (1, 1), (1, 128)
CONFIGURATION = """
neighbor 127.0.0.2 {
    router-id 127.0.0.1;
    local-address 127.0.0.1;
    local-as 65000;
    peer-as 65000;
    passive true;
    adj-rib-in true;
    capability { route-refresh; }
    family { ipv4 unicast; ipv4 mpls-vpn; }
    static { route 192.0.2.0/24 next-hop 192.0.2.1; }
}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--routes', type=int, default=100_000, metavar='N', help='%(default)s')
    parser.add_argument('--nlris', type=int, nargs='+', default=[50, 1], metavar='N', help='in each UPDATE, 50 and 1')
    parser.add_argument('--repeat', type=int, default=3, metavar='N', help='pairs of processes, %(default)s')
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.add_argument('--plot', metavar='FILE', help='draw a picture too, .png or .svg')
    arguments = parser.parse_args()
    results = {
        'exabgp': exabgp_version(),
        'python': platform.python_version(),
        'routes': arguments.routes,
        'nlris_an_update': {str(n): compared(arguments.routes, n, arguments.repeat) for n in arguments.nlris},
    }
    if arguments.plot:
        draw(results, arguments.plot)
    if arguments.json:
        print(json.dumps(results, indent=2))
        return 0
    print(f'{arguments.routes:,} VPNv4 routes, ExaBGP {results["exabgp"]}, Python {results["python"]}')
    print(f'{"NLRIs":>6}{"MB resident, whole process":>40}{"seconds to converge":>34}')
    print(
        f'{"":6}'
        + f'{"before":>10}{"stock":>10}{"interned":>10}{"ratio":>10}'
        + f'{"stock":>14}{"interned":>10}{"ratio":>10}'
    )
    for nlris, row in results['nlris_an_update'].items():
        sizes = ''.join(f'{row[way]["bytes"] / 1e6:10.1f}' for way in WAYS)
        times = ''.join(f'{row[way]["seconds"]:{width}.2f}' for way, width in zip(WAYS, (14, 10)))
        base = row['stock']['bytes_before'] / 1e6
        print(f'{nlris:>6}{base:10.1f}{sizes}{row["bytes"]:10.3f}{times}{row["seconds"]:10.3f}')
    return 0


def compared(routes: int, nlris: int, repeat: int) -> dict[str, Any]:
    """Return the medians of both ways, and of the ratios interned over stock."""
    updates = [message(UPDATE, body) for _, body in synthetic('vpnv4', routes, 10, 100, nlris).updates]
    turns = [{way: received(command, updates) for way, command in WAYS.items()} for _ in range(repeat)]
    return {
        **{way: {name: median(turn[way][name] for turn in turns) for name in turns[0][way]} for way in WAYS},
        **{
            name: median(turn['interned'][name] / turn['stock'][name] for turn in turns)
            for name in ('bytes', 'seconds')
        },
    }


def received(command: tuple[str, ...], updates: list[bytes]) -> dict[str, float]:
    """Start a receiver, send it `updates`, and return what it took, in bytes and seconds."""
    with tempfile.TemporaryDirectory() as directory:
        configuration = Path(directory) / 'exabgp.conf'
        configuration.write_text(CONFIGURATION)
        port = free_port()
        settings = {
            'exabgp_daemon_user': 'root' if os.getuid() == 0 else 'nobody',
            'exabgp_api_cli': 'false',
            'exabgp_tcp_bind': '127.0.0.1',
            'exabgp_tcp_port': str(port),
        }
        process = subprocess.Popen(
            (*command, str(configuration)), env={**os.environ, **settings}, stderr=subprocess.DEVNULL
        )
        try:
            return played(process.pid, port, updates)
        finally:
            process.kill()
            process.wait()


def played(pid: int, port: int, updates: list[bytes]) -> dict[str, float]:
    with connected(port, (UNICAST, VPN)) as speaker:
        # its own route, and an End-of-RIB for each family
        speaker.hear_updates(3)
        before = psutil.Process(pid).memory_info().rss
        start = time.perf_counter()
        for at in range(0, len(updates), 1000):
            speaker.send(b''.join(updates[at : at + 1000]))
        speaker.send(message(ROUTE_REFRESH, pack('!HBB', UNICAST[0], 0, UNICAST[1])))
        speaker.hear_updates(4)
        seconds = time.perf_counter() - start
        after = psutil.Process(pid).memory_info().rss
    return {'bytes': after, 'bytes_before': before, 'seconds': seconds}


def draw(results: dict[str, Any], path: str) -> None:
    """Draw the figures as bars into `path`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.5), layout='constrained')
    rows = results['nlris_an_update']
    for axes, (name, unit, title) in zip(
        figure.subplots(1, 2), (('bytes', 1e6, 'MB resident, whole process'), ('seconds', 1, 'seconds to converge'))
    ):
        for shift, way, colour in zip((-0.2, 0.2), WAYS, ('#9aa5b1', '#1f77b4')):
            heights = [row[way][name] / unit for row in rows.values()]
            bars = axes.bar([at + shift for at in range(len(rows))], heights, width=0.4, color=colour, label=way)
            axes.bar_label(bars, fmt='%.1f')
        axes.set_xticks(
            range(len(rows)), [f'{nlris} NLRI an UPDATE\nratio {row[name]:.2f}' for nlris, row in rows.items()]
        )
        axes.set_title(title, fontsize='medium')
        axes.margins(y=0.15)
    axes.legend()
    versions = f'ExaBGP {results["exabgp"]}, Python {results["python"]}'
    figure.suptitle(f'{results["routes"]:,} VPNv4 routes over TCP, {versions}')
    figure.savefig(path)


if __name__ == '__main__':
    sys.exit(main())
