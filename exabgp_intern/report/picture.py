"""The picture that a report draws."""

from __future__ import annotations

from typing import Any

from exabgp_intern.report.figures import FIGURES, WAYS
from exabgp_intern.report.table import saving
from exabgp_intern.report.workload import Problem, extra

__all__ = ('draw',)


def draw(figures: dict[str, Any], path: str) -> None:
    """Draw the figures as bars into `path`, whose ending says how.  Raises Problem if it cannot be written."""
    colours = ('#9aa5b1', '#1f77b4')
    figure = extra('matplotlib.figure').Figure(figsize=(12, 4), layout='constrained')
    measured = [key for key in FIGURES if figures['stock'][key] is not None]
    *costs, objects = figure.subplots(1, len(measured) + 1, width_ratios=[1] * len(measured) + [2])
    for axes, key in zip(costs, measured):
        bars = axes.bar(WAYS, [figures[way][key] or 0 for way in WAYS], color=colours)
        axes.margins(y=0.1)
        axes.bar_label(bars, fmt='%.1f' if key == 'microseconds' else '%.0f')
        axes.set_title(f'{FIGURES[key]}\nsaving {saving(figures, key, "{:.0%}")}', fontsize='medium')
    objects.set_yscale('symlog')  # ten objects stand beside a hundred thousand, and none beside both
    names = [name.replace('Distinguisher', '\nDistinguisher') for name in figures['classes']]
    for shift, way, colour in zip((-0.2, 0.2), WAYS, colours):
        heights = [counts[f'{way}_objects'] for counts in figures['classes'].values()]
        objects.bar([at + shift for at in range(len(names))], heights, width=0.4, color=colour, label=way)
    objects.set_xticks(range(len(names)), names, fontsize='small')
    objects.set_title('objects held by routes', fontsize='medium', loc='left')
    objects.legend(loc='lower right', bbox_to_anchor=(1, 1), ncols=2)
    title = f'{figures["workload"]}, ExaBGP {figures["exabgp"]}, Python {figures["python"]}'
    figure.suptitle(title.encode('ascii', 'backslashreplace').decode(), parse_math=False)
    try:
        figure.savefig(path)
    except OSError as problem:
        raise Problem(f'{path}: {problem.strerror}') from problem
