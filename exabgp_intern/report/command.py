"""The command `exabgp-intern report`: the same routes with ExaBGP's own classes and the canonical, side by side."""

from __future__ import annotations

import json
import os
import signal
import sys

from exabgp_intern.report.figures import measured
from exabgp_intern.report.measure import SAMPLE
from exabgp_intern.report.picture import draw
from exabgp_intern.report.table import show
from exabgp_intern.report.workload import Problem, Workload, extra, some

__all__ = ('report',)


def report(workload: Workload, as_json: bool = False, plot: str | None = None, repeat: int | None = None) -> int:
    """Measure `workload`, print the table or JSON, draw the picture `plot`; return the exit code.

    That is 1 if the two ways did not print the same, 2 if a part of the file cannot be read, else 0.  Raises Problem,
    also if no route was loaded.  What it is about to do, the progress on a terminal, and problems go to standard error.
    """
    for module in ('psutil', 'rich', *(['matplotlib'] if plot else [])):
        extra(module)
    if plot and (os.path.isdir(plot) or not os.access(os.path.dirname(plot) or os.curdir, os.W_OK)):
        raise Problem(f'{plot}: no file can be written there')
    print(f'exabgp-intern: {_size(workload)}: {_plan(workload, repeat)}', file=sys.stderr, flush=True)
    progress = extra('rich.progress').Progress(
        console=extra('rich.console').Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    )
    with progress:
        task = progress.add_task('measuring', total=None)
        figures = measured(workload, repeat, lambda loads: progress.update(task, total=loads, advance=1))
    _print(json.dumps(figures, indent=2) + '\n' if as_json else show(figures))
    for line in (figures['advice'], workload.damaged):
        if line:
            print(f'exabgp-intern: {line}', file=sys.stderr)
    if plot:
        draw(figures, plot)
    return 1 if not figures['same_output'] else 2 if workload.damaged else 0


def _print(text: str) -> None:
    """Print `text`.  Raises Problem if standard output takes no more of it, and ends if nobody reads it."""
    try:
        print(text, end='', flush=True)
    except OSError as problem:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is written at exit
        if isinstance(problem, BrokenPipeError):
            sys.exit(128 + signal.SIGPIPE)  # as programs end that have no handler for it
        raise Problem(f'standard output: {problem.strerror}') from problem


def _size(workload: Workload) -> str:
    """Return how much there is to load."""
    if workload.commands:
        return some(len(workload.commands), 'command')
    if workload.config:
        return f'a configuration of {os.path.getsize(workload.config):,} octets'
    octets = sum(len(body) for _, body in workload.updates)
    return f'{some(len(workload.updates), "UPDATE")} of {octets:,} octets'


def _plan(workload: Workload, repeat: int | None) -> str:
    """Return what will be done with it."""
    configured = workload.config and not workload.commands
    traced = f'{"if it has " if configured else ""}up to {SAMPLE:,} routes'
    times = {None: 'two or three times', 1: 'once'}.get(repeat, f'{repeat} times')
    return f'loading it both ways: once to compare, once to trace memory ({traced}), {times} to measure time'
