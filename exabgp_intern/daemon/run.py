"""`exabgp-intern run`: ExaBGP's own program, its qualifiers interned.

This calls ExaBGP's own entry point, with `sys.argv` as ExaBGP's own script would have it.  It wraps two of ExaBGP's
methods to write log lines for the operator.  `Daemon.savepid` is the first point at which the process, its user and its
log are final.  `Reactor.shutdown` is the last point at which the routes still exist.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import wraps
from importlib import import_module
from typing import Any, Callable, NamedTuple, Sequence

from exabgp_intern import __version__
from exabgp_intern.installation import SETS, exabgp_version, install, installed, sets
from exabgp_intern.statistics import stats

__all__ = ('Settings', 'programs', 'run', 'script')

# Debian has its program in /usr/sbin, which the PATH of users who are not root does not name.
SBIN = ('/usr/local/sbin', '/usr/sbin', '/sbin')
TRUE = ('1', 'yes', 'on', 'enable', 'true')  # as ExaBGP reads its own variables


class Settings(NamedTuple):
    """What is ours: options that come before ExaBGP's arguments, or variables such as `exabgp_intern_stats_file`."""

    classes: str = ''  # as install() has them by default
    strict: str = 'false'
    stats_file: str = ''
    stats_every: str = '15'  # seconds

    def names(self) -> list[str]:
        """Return the names in `classes`."""
        return self.classes.replace(',', ' ').split()


def run(argv: Sequence[str]) -> Any:
    """Run ExaBGP with the command line `argv`, our own options first, and return what its entry point returns.

    If interning fails, one line on stderr says why, and ExaBGP runs without it.  With `--strict` ExaBGP does not run,
    and this returns 2.
    """
    settings, arguments = _settings(argv)
    # Before anything imports ExaBGP: that fixes where it looks for its files.
    sys.argv = [script(), *arguments]
    entry_point = _entry_point()
    problems: list[str] = []
    interned = _tried(lambda: _intern(settings), problems)
    _tried(lambda: _check_sets(settings), problems)
    wanted = interned and settings.stats_file
    stats_file = _tried(lambda: _stats_file(settings), problems) if wanted else None
    _tried(lambda: _watch(interned, problems, stats_file), problems)
    if problems and settings.strict.lower() in TRUE:
        return 2
    return entry_point()


def script() -> str:
    """Return the path of ExaBGP's own program: the first of programs(), or where it would be beside this Python."""
    return next(iter(programs()), os.path.join(os.path.dirname(sys.executable), 'exabgp'))


def programs() -> list[str]:
    """Return the programs that are called `exabgp`: the one beside ours, of this Python, on the PATH, or for root."""
    path = os.environ.get('PATH', os.defpath).split(os.pathsep)
    places = [os.path.dirname(sys.argv[0]), os.path.dirname(sys.executable), *path, *SBIN]
    found = [os.path.join(place, 'exabgp') for place in places]
    return [each for each in found if os.path.isfile(each) and os.access(each, os.X_OK)]


def _settings(argv: Sequence[str]) -> tuple[Settings, list[str]]:
    """Return our settings, and ExaBGP's command line, which starts at the first argument that is not ours."""
    found = {}
    for name in Settings._fields:
        for variable in (f'exabgp_intern_{name}', f'exabgp.intern.{name}'):
            if variable in os.environ:
                found[name] = os.environ[variable]
    rest = list(argv)
    while rest:
        option, equals, value = rest[0].partition('=')
        name = option[2:].replace('-', '_')
        if not option.startswith('--') or name not in Settings._fields:
            break
        del rest[0]
        if name == 'strict':
            value = 'true'
        elif not equals:
            value = rest.pop(0) if rest else ''
        found[name] = value
    return Settings(**found), rest


def _entry_point() -> Any:
    """Return what ExaBGP's own script calls; before 5.0 that was another function."""
    before = getattr(import_module('exabgp.application'), 'run_exabgp', None)
    return before or import_module('exabgp.application.main').main


def _tried(step: Callable[[], Any], problems: list[str]) -> Any:
    """Return the result of `step`, or None if it raises: its error is printed to stderr and added to `problems`."""
    try:
        return step()
    except Exception as raised:
        problem = ' '.join(str(raised).split())
        problems.append(problem)
        if sys.stderr:  # a daemon may be started without
            with suppress(OSError):
                print(f'exabgp-intern: {problem}', file=sys.stderr)
        return None


def _intern(settings: Settings) -> str:
    names = settings.names()
    try:
        if names:
            install([name for name in names if name not in SETS], *(name in names for name in SETS))
        else:
            install()
    except Exception as problem:
        raise Exception(f'nothing interned: {problem}') from problem
    return f'{", ".join(installed()) or "nothing"} interned'


def _check_sets(settings: Settings) -> None:
    """Raise an exception if `--classes` names attributes or sets that this ExaBGP does not let us share."""
    missing = [name for name in SETS if name in settings.names() and name not in sets()]
    if missing:
        raise Exception(f'{", ".join(missing)} cannot be shared in ExaBGP {exabgp_version()}')


def _stats_file(settings: Settings) -> Any:
    """Return the thread that keeps the stats file."""
    try:
        # Only here: prometheus_client takes 4 MB, and is an extra.
        metrics = import_module('exabgp_intern.daemon.metrics')
    except ImportError as problem:
        raise Exception(f'no stats file: {problem}: pip install "exabgp-intern[stats]"') from problem
    try:
        seconds = float(settings.stats_every)
    except ValueError:
        seconds = 0
    if not 0 < seconds < 1e9:
        raise Exception(f'no stats file: --stats-every {settings.stats_every!r} is not a number of seconds above 0')
    return metrics.StatsFile(settings.stats_file, seconds, _log)


def _watch(interned: str, problems: list[str], stats_file: Any) -> None:
    """Have ExaBGP log what is interned when it starts, what that saved when it stops, and keep the stats file."""
    daemon, reactor = import_module('exabgp.reactor.daemon').Daemon, import_module('exabgp.reactor.loop').Reactor
    save_pid, shutdown = daemon.savepid, reactor.shutdown
    what = '; '.join([*filter(None, [interned]), *problems])

    @wraps(save_pid)
    def started(self: Any) -> Any:
        saved = save_pid(self)
        if saved:
            _tried(lambda: _log(f'{what}, ExaBGP {exabgp_version()}'), [])
            if stats_file:
                _tried(stats_file.start, [])
        return saved

    @wraps(shutdown)
    def stopping(self: Any) -> Any:
        if stats_file:
            _tried(stats_file.stop, [])
        if interned:
            _tried(lambda: _log(_saved()), [])
        return shutdown(self)

    daemon.savepid, reactor.shutdown = started, stopping


def _saved() -> str:
    of_each = stats().values()
    saved = round(sum(each.bytes_saved for each in of_each) / 1e6, 1)
    objects = sum(each.alive for each in of_each)
    references = sum(each.references for each in of_each)
    if saved > 0:
        what = f'saved {saved:,} MB'
    else:  # with few routes the tables weigh as much as is saved
        what = f'took {-saved:,} MB more than it saved' if saved else 'saved nothing'
    return f'{what}, objects: {objects:,}, references to them: {references:,}'


def _log(text: str) -> None:
    """Write a line to ExaBGP's log, under a name of our own: releases differ in which of their own they show."""
    line = f'{__version__}: {text}'
    logger = import_module('exabgp.logger')
    if hasattr(logger, 'log'):
        logger.log.info(lambda: line, 'exabgp-intern')
    else:  # before 5.0
        logger.Logger().info(line, 'exabgp-intern')
