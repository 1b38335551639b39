"""The command `exabgp-intern report`: the same routes with ExaBGP's own classes and the canonical, side by side."""

from __future__ import annotations

import json
import sys

from exabgp_intern.report.figures import PROCESSES, measured
from exabgp_intern.report.picture import draw
from exabgp_intern.report.table import show
from exabgp_intern.report.workload import Workload, extra

__all__ = ('report',)


def report(workload: Workload, as_json: bool = False, plot: str | None = None) -> int:
    """Measure `workload`, print the table or JSON, draw the picture `plot`; return the exit code.

    That is 1 if the two ways did not print the same, 2 if a part of the file cannot be read, else 0.  Raises Problem,
    also if no route was loaded.
    """
    for module in ('psutil', 'rich', *(['matplotlib'] if plot else [])):
        extra(module)
    progress = extra('rich.progress').Progress(
        console=extra('rich.console').Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    )
    with progress:
        task = progress.add_task('measuring', total=PROCESSES)
        figures = measured(workload, lambda: progress.advance(task))
    if as_json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures)
    if plot:
        draw(figures, plot)
    for line in (figures['advice'], workload.damaged):
        if line:
            print(f'exabgp-intern: {line}', file=sys.stderr)
    return 1 if not figures['same_output'] else 2 if workload.damaged else 0
