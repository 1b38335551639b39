"""API commands, as a process of the user's prints them for ExaBGP, one a line."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module
from typing import Any, Iterator

from exabgp_intern import lines
from exabgp_intern.report.sources import configured
from exabgp_intern.report.workload import Problem, Workload

__all__ = ('NEIGHBOR', 'add_peers', 'commanded', 'obey', 'reactor')

ACTIONS = ('announce ', 'withdraw ')
# for commands without a configuration: one neighbor, to which all of them are sent
NEIGHBOR = """
neighbor 192.0.2.1 {
    router-id 192.0.2.2; local-address 192.0.2.2; local-as 65000; peer-as 65001; adj-rib-out true;
    capability { add-path send/receive; }
}
"""


def commanded(path: str, config: str = '') -> Workload:
    """Return the commands of the file `path`, for the neighbors of the ExaBGP configuration `config`.

    Lines that neither announce nor withdraw are skipped, and so are empty lines and comments, which do not count.
    Raises Problem if there is no command.
    """
    if config:
        configured(config)
    try:
        with open(path, encoding='utf-8', errors='surrogateescape') as file:
            commands = [' '.join(line.split()) for line in file]
    except OSError as problem:
        raise Problem(f'{path}: {problem.strerror}') from problem
    said = [line for line in commands if line and not line.startswith('#')]
    commands = [line for line in said if any(f' {action}' in f' {line} ' for action in ACTIONS)]
    if not commands:
        raise Problem(f'{path}: no line of it announces or withdraws a route')
    name = f'{path}, for the neighbors of {config}' if config else path
    return Workload(name, config=config, commands=commands, skipped={'line': len(said) - len(commands)})


def reactor(configuration: Any) -> Any:
    """Return ExaBGP's reactor for the `configuration`."""
    directory = os.getcwd()
    made = import_module('exabgp.reactor.loop').Reactor(configuration)
    os.chdir(directory)  # as a daemon it has left it
    made.configuration = configuration  # 4.2 has made one
    six = _of_exabgp_6()
    made.processes = six.Answers() if six else _answers()
    made.asynchronous.schedule = six.schedule if six else _run
    return made


def add_peers(reactor: Any) -> None:
    """Give the reactor the peers that its configuration now has.  None of them is connected."""
    neighbors = reactor.configuration.neighbors
    peer = import_module('exabgp.reactor.peer').Peer
    reactor._peers = {name: peer(neighbor, reactor) for name, neighbor in neighbors.items()}


def obey(reactor: Any, command: str, selected: bool) -> bool:
    """Do what ExaBGP does with a `command` of a process, and return whether it accepts it.

    If `selected`, the command is for the neighbors that it names, otherwise for every neighbor.
    """
    reactor.processes.refused = False
    six = _of_exabgp_6()
    if six:
        six.obey(reactor, command, selected)
        return not reactor.processes.refused
    if not selected:
        _, command = import_module('exabgp.reactor.api.command.limit').extract_neighbors(command)
    with suppress(StopIteration):
        if hasattr(reactor.api, 'process'):
            reactor.api.process(reactor, '', command)
        else:  # 4.2
            reactor.api.text(reactor, '', command)
    return not reactor.processes.refused


def _of_exabgp_6() -> Any:
    """Return the module for the API of ExaBGP 6, None for 4.2 and 5.0."""
    return None if lines.nlris_hold() else import_module('exabgp_intern.exabgp6.loading')


def _run(service: str, command: str, callback: Iterator[Any]) -> None:
    """Do at once what ExaBGP's reactor does between its other work."""
    for _ in callback:
        pass


def _answers() -> Any:
    processes: Any = import_module('exabgp.reactor.api.processes').Processes

    class Answers(processes):
        """Answers nothing: no process has sent the commands.  It only notes that a command was refused."""

        refused = False

        def answer_done(self, service: str, force: bool = False) -> None:
            pass

        def answer_error(self, service: str) -> None:
            self.refused = True

    return Answers()
