"""Real BGP speakers on loopback: ExaBGP as a process, by its own program or by ours, and what stands between two."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Iterator

from tests import ROOT

STOCK = (str(Path(sys.executable).parent / 'exabgp'),)
INTERNED = (sys.executable, '-m', 'exabgp_intern', 'run')

# The receiver listens, the announcer connects to it.
RECEIVER, ANNOUNCER = '127.0.0.1', '127.0.0.2'
FAMILIES = ('ipv4 unicast', 'ipv4 nlri-mpls', 'ipv4 mpls-vpn', 'l2vpn evpn')
OF_ONE_RUN = ('time', 'pid', 'ppid', 'counter')


def wait_for(what: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what `what` returns as soon as that is true; fails after so many `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = what()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f'not within {seconds} seconds')


class Process:
    """A program that is killed when its `with` ends; what it prints is in `output`."""

    def __init__(self, directory: Path, *command: str, **variables: str) -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self._output = open(directory / 'output', 'wb')  # noqa: SIM115
        environment = {name: value for name, value in os.environ.items() if not name.startswith('exabgp')}
        self.popen = subprocess.Popen(
            command,
            cwd=directory,
            env={**environment, 'PYTHONPATH': str(ROOT), **variables},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.popen.kill()
        self.popen.wait()
        self._output.close()

    @property
    def output(self) -> str:
        return (self.directory / 'output').read_text(errors='replace')

    def exit_code(self, seconds: float = 30) -> int:
        return self.popen.wait(seconds)


class ExaBGP(Process):
    """An ExaBGP whose helper process keeps the JSON it is handed, and sends the API commands that say() is given.

    It listens if a `port` is given.
    """

    def __init__(
        self, directory: Path, program: tuple[str, ...], neighbor: str, port: int = 0, **variables: str
    ) -> None:
        directory.mkdir()
        os.mkfifo(directory / 'commands')
        # for both: neither side then waits for the other to open it
        self._commands = os.open(directory / 'commands', os.O_RDWR)
        self._json = open(directory / 'json', 'w+')  # noqa: SIM115
        self._messages: list[dict[str, Any]] = []
        self._routes: list[tuple[str, str, str]] = []
        self._rest = ''
        helper = directory / 'helper'
        helper.write_text(f'#!/bin/sh\nexec 3<&0\ncat <&3 >>{directory}/json &\nexec cat {directory}/commands\n')
        helper.chmod(0o755)
        self.configuration = directory / 'exabgp.conf'
        self.configure(neighbor)
        settings = {
            'exabgp_daemon_user': 'root' if os.getuid() == 0 else 'nobody',
            'exabgp_log_destination': 'stderr',
            'exabgp_log_short': 'false',
            'exabgp_api_cli': 'false',
            'exabgp_api_ack': 'false',
            'exabgp_api_respawn': 'false',
            **({'exabgp_tcp_bind': RECEIVER, 'exabgp_tcp_port': str(port)} if port else {}),
            **variables,
        }
        super().__init__(directory, *program, str(self.configuration), **settings)

    def __exit__(self, *_: Any) -> None:
        os.close(self._commands)
        self._json.close()
        super().__exit__(*_)

    def configure(self, neighbor: str) -> None:
        helper = self.configuration.with_name('helper')
        self.configuration.write_text(f'process helper {{ run {helper}; encoder json; }}\n{neighbor}')

    def say(self, *commands: str) -> None:
        """Have the helper process send API `commands`."""
        for command in commands:
            os.write(self._commands, command.encode() + b'\n')

    def heard(self) -> list[dict[str, Any]]:
        """Return all JSON that ExaBGP handed to its helper process, without what differs between any two runs."""
        *lines, self._rest = (self._rest + self._json.read()).split('\n')
        for line in lines:
            told = json.loads(line) if line.startswith('{') else {'answer': line}
            self._messages.append({name: value for name, value in told.items() if name not in OF_ONE_RUN})
            self._routes.extend(routes(told))
        return self._messages

    def routes(self) -> list[tuple[str, str, str]]:
        """Return all that the helper process was told of routes, see routes()."""
        self.heard()
        return self._routes


def routes(message: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the routes of a message: announced or withdrawn, the family, and the NLRI with all it came with."""
    update = message.get('neighbor', {}).get('message', {}).get('update', {})
    for action in ('announce', 'withdraw'):
        for family, nlris in update.get(action, {}).items():
            # by next hop, where announced
            for next_hop, several in nlris.items() if isinstance(nlris, dict) else [('', nlris)]:
                for nlri in several:
                    attributes = update.get('attribute', {}) if action == 'announce' else {}
                    yield action, family, json.dumps([nlri, next_hop, attributes], sort_keys=True)


def receiving(families: tuple[str, ...] = FAMILIES) -> str:
    """Return the neighbor of a receiver, as a configuration has it."""
    return _neighbor(ANNOUNCER, RECEIVER, families, 'passive true; adj-rib-in true;')


def announcing(port: int, static: str, families: tuple[str, ...] = FAMILIES) -> str:
    """Return the neighbor of an announcer that connects to `port`."""
    return _neighbor(RECEIVER, ANNOUNCER, families, f'connect {port}; static {{ {static} }}')


def _neighbor(peer: str, local: str, families: tuple[str, ...], rest: str) -> str:
    return f"""
neighbor {peer} {{
    router-id {local};
    local-address {local};
    local-as 65000;
    peer-as 65000;
    capability {{ add-path send/receive; }}
    family {{ {' '.join(family + ';' for family in families)} }}
    add-path {{ ipv4 unicast; }}
    api {{ processes [ helper ]; neighbor-changes; receive {{ parsed; update; open; notification; }} }}
    {rest}
}}
"""


class Tee(threading.Thread):
    """Stands between an announcer and several receivers: each gets every octet, the first one's answers go back."""

    def __init__(self, *receivers: int) -> None:
        super().__init__(daemon=True)
        self._receivers = receivers
        self._listener = socket.create_server((RECEIVER, 0))
        self._listener.settimeout(0.1)
        self._ended = threading.Event()
        self.port = self._listener.getsockname()[1]
        self.said = bytearray()  # by the announcer

    def __enter__(self) -> Tee:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()
        self.join(timeout=5)
        self._listener.close()

    def run(self) -> None:
        while not self._ended.is_set():
            with suppress(OSError):
                announcer, _ = self._listener.accept()
                with announcer:
                    self._carry(announcer)

    def _carry(self, announcer: socket.socket) -> None:
        receivers = [socket.create_connection((RECEIVER, port), 10, (ANNOUNCER, 0)) for port in self._receivers]
        try:
            while not self._ended.is_set():
                for ready in select.select([announcer, *receivers], [], [], 0.1)[0]:
                    octets = ready.recv(1 << 16)
                    if not octets:
                        return
                    if ready is announcer:
                        self.said += octets
                        for receiver in receivers:
                            receiver.sendall(octets)
                    elif ready is receivers[0]:
                        announcer.sendall(octets)
        finally:
            for receiver in receivers:
                receiver.close()
