"""What the parts share: processes, spreads, tables, and ExaBGP ready to decode."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from statistics import median, quantiles
from typing import Any, Callable, NamedTuple, Sequence

from exabgp_intern import install, lines

WAYS = ('stock', 'interned')
# what install() is called with
INSTALLED: dict[str, dict[str, Any]] = {
    'without attributes': {'attributes': False, 'path_attributes': False},
    'interned': {},
}
COLOURS = {'stock': '#9aa5b1', 'without attributes': '#2ca02c', 'interned': '#1f77b4'}
FRONT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'benchmark.py')


class Table(NamedTuple):
    """What is printed, and written into the page: all cells are text."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class Child:
    """Runs the measurements of one part, each in a process of its own, by any of `pythons`."""

    def __init__(self, part: str, quick: bool, pythons: Sequence[str], advance: Callable[[], None]) -> None:
        self.quick = quick
        self.pythons = pythons
        self._part = part
        self._advance = advance

    def __call__(self, python: str = sys.executable, **job: Any) -> Any:
        """Return what `measure(**job)` of the part returns.  Raises CalledProcessError, TimeoutExpired."""
        command = [python, FRONT, '--measure', self._part, json.dumps(job)]
        # a set of strings has another order, and so another size, with each seed
        environment = {**os.environ, 'PYTHONHASHSEED': '0'}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=1800, env=environment)
        self._advance()
        return json.loads(done.stdout)

    def pairs(
        self, repeat: int, python: str = sys.executable, ways: Sequence[str] = WAYS, **job: Any
    ) -> list[dict[str, Any]]:
        """Return `repeat` times the results of all `ways`, measured one after the other."""
        return [{way: self(python, way=way, **job) for way in ways} for _ in range(repeat)]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the quartiles of `values`."""
    low, _, high = quantiles(values, n=4, method='inclusive') if len(values) > 1 else [values[0]] * 3
    return {'median': median(values), 'low': low, 'high': high}


def ratios(pairs: Sequence[dict[str, Any]], name: str, way: str = 'interned') -> dict[str, float]:
    """Return the spread of `way` over stock for the figure `name`, pair by pair."""
    return spread([pair[way][name] / pair['stock'][name] for pair in pairs])


def bars(spreads: Sequence[dict[str, float]]) -> tuple[list[float], list[list[float]]]:
    """Return the medians, and what reaches from them down and up to the quartiles, as matplotlib wants them."""
    middles = [each['median'] for each in spreads]
    return middles, [[abs(each[side] - each['median']) for each in spreads] for side in ('low', 'high')]


def shown(value: dict[str, float] | None, form: str = '.2f') -> str:
    """Return the median of a spread with its quartiles behind it, if they differ from it."""
    if value is None:
        return '-'
    middle, low, high = (format(value[name], form) for name in ('median', 'low', 'high'))
    return middle if middle == low == high else f'{middle} ({low}–{high})'


def start(way: str, classes: Sequence[str] | None = None) -> None:
    """Make ExaBGP ready to decode, its log off, and install what `way` says, or of that only `classes`."""
    lines.start()
    if way != 'stock':
        install(*([classes] if classes else []), **INSTALLED[way])


def decoder(afi: int, safi: int, addpath: bool) -> Callable[[bytes], Any]:
    """Return what decodes the octets of one NLRI of a family with ExaBGP."""
    from exabgp.bgp.message import Action
    from exabgp.bgp.message.update.nlri import NLRI
    from exabgp.protocol.family import AFI, SAFI

    family = AFI.create(afi), SAFI.create(safi)
    return lambda octets: NLRI.unpack_nlri(*family, octets, Action.ANNOUNCE, addpath)[0]


def machine() -> str:
    """Return what was measured on: processor, cores, system; no name of the machine."""
    model = platform.machine()
    try:
        with open('/proc/cpuinfo') as file:
            model += next((', ' + line.split(':')[1].strip() for line in file if line.startswith('model name')), '')
    except OSError:
        pass
    return f'{os.cpu_count()} shared cores ({model}), {platform.system()}'


def versions() -> str:
    """Return the versions of ExaBGP, of this Python and of this package."""
    from exabgp_intern import __version__
    from exabgp_intern.installation import exabgp_version

    return f'ExaBGP {exabgp_version()}, CPython {platform.python_version()}, exabgp-intern {__version__}'


def drawn(results: dict[str, Any]) -> str:
    """Return the Python of `results`, which are by Python, that a picture is about: this one if it is among them."""
    running = platform.python_version()
    return running if running in results else list(results)[-1]


def version(package: str) -> str:
    """Return the version of an installed package, `` if it is not there."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ''
