"""Export the figures of `stats()` to Prometheus, in a text file that node_exporter or another agent reads.

prometheus_client, which the extra `stats` installs, produces the text format:
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import os
import platform
import time
from contextlib import suppress
from tempfile import mkstemp
from threading import Event, Thread
from typing import Any, Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

from exabgp_intern import __version__
from exabgp_intern.installation import exabgp_version
from exabgp_intern.statistics import stats

__all__ = ('StatsFile', 'text', 'write')

# By the field of Statistics: the metric's type, name and help.
METRICS: dict[str, tuple[Any, str, str]] = {
    'alive': (GaugeMetricFamily, 'objects', 'Canonical objects alive.'),
    'references': (GaugeMetricFamily, 'references', 'References that share these objects.'),
    'made': (CounterMetricFamily, 'made', 'Canonical objects made.'),
    'freed': (CounterMetricFamily, 'freed', 'Canonical objects freed.'),
    'bytes_saved': (GaugeMetricFamily, 'saved_bytes', 'Memory that sharing saves, the table taken off.'),
    'bytes_table': (GaugeMetricFamily, 'table_bytes', 'Memory of the table of these objects.'),
}
DUTY = 100  # what the reading of the tables may cost: one part in so many of the time


class _Collector:
    def collect(self) -> Iterator[Any]:
        now = stats()
        for field, (family, name, help) in METRICS.items():
            metric = family(f'exabgp_intern_{name}', help, labels=['class'])
            for cls, statistics in now.items():
                metric.add_metric([cls], getattr(statistics, field))
            yield metric
        versions = {'version': __version__, 'exabgp': exabgp_version(), 'python': platform.python_version()}
        yield InfoMetricFamily('exabgp_intern', 'What runs.', value=versions)


def text() -> bytes:
    """Return the statistics of now in the text format of Prometheus."""
    # A registry of our own: the default one has process_* metrics, which would clash with those of node_exporter.
    registry = CollectorRegistry()
    registry.register(_Collector())
    return generate_latest(registry)


def write(path: str, content: bytes) -> None:
    """Replace the file `path`, readable for everybody, in one step.  Raises OSError, and leaves nothing behind."""
    directory, name = os.path.split(path)
    handle, temporary = mkstemp(prefix=f'.{name}.', dir=directory)
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(content)
            os.fchmod(handle, 0o644)  # ExaBGP's umask would keep it from the agent
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


class StatsFile:
    """Writes `path` every so many seconds from start() to stop().

    It writes in a thread, and not in ExaBGP's reactor loop, so that a disk that hangs delays no KEEPALIVE.  Start it
    after the last fork.  It calls `log` with one line when a write fails, and calls it again only after a write has
    succeeded and another has failed.
    """

    def __init__(self, path: str, seconds: float, log: Callable[[str], None]) -> None:
        self._path = os.path.abspath(path)  # ExaBGP changes its directory
        self._seconds = seconds
        self._log = log
        self._enough = Event()
        # All that it imports is imported now: the user that ExaBGP becomes may not be allowed to read it.
        text()

    def start(self) -> None:
        # Made here: from 3.13 a thread that was made before a fork cannot be started after it.
        self._thread = Thread(target=self._run, name='exabgp-intern', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let it finish what it writes: the interpreter may not exit in the middle, and leave half a file."""
        self._enough.set()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        failed = False
        pause = 0.0
        while not self._enough.wait(pause):
            start = time.thread_time()
            try:
                write(self._path, text())
                failed = False
            except Exception as problem:
                if not failed:
                    self._log(f'cannot write {self._path}: {problem}')
                failed = True
            pause = max(self._seconds, DUTY * (time.thread_time() - start))
