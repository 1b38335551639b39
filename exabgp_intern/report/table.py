"""The table that a report prints."""

from __future__ import annotations

import io
import sys
from typing import Any, Iterator

from exabgp_intern.report.figures import FEW, FIGURES, WAYS
from exabgp_intern.report.measure import SAMPLE
from exabgp_intern.report.workload import extra

__all__ = ('saving', 'show')


MOST_REASONS = 10  # that are shown
COUNTS = {
    'updates': 'NLRIs decoded: {decoded:,}; routes held: {routes:,}; UPDATEs that ExaBGP refused: {refused:,}; '
    'other messages, skipped: {skipped:,}',
    'configuration': 'routes held, of all neighbors: {routes:,}',
    'commands': 'commands: {decoded:,}; routes held, of all neighbors: {routes:,}; commands that ExaBGP refused: '
    '{refused:,}; other lines, skipped: {skipped:,}',
}


def show(figures: dict[str, Any]) -> str:
    """Return `figures` as tables, and a digest, for standard output."""
    table, simple = extra('rich.table').Table, extra('rich.box').SIMPLE_HEAD
    costs = table('', *WAYS, 'saving', box=simple)
    for key, title in FIGURES.items():
        if figures['stock'][key] is None:
            continue
        costs.add_row(
            title,
            *(shown(figures[way][key], '{:,.1f}' if key == 'microseconds' else '{:,.0f}') for way in WAYS),
            saving(figures, key, '{:.1%}'),
        )
    objects = table('objects held', *WAYS, 'sharing factor', 'hit rate', box=simple)
    for name, counts in figures['classes'].items():
        objects.add_row(
            name,
            *(f'{counts[way + "_objects"]:,}' for way in WAYS),
            shown(counts['sharing'], '{:,.1f}'),
            shown(counts['hit_rate'], '{:.2%}'),
        )
    for column in (*costs.columns[1:], *objects.columns[1:]):
        column.justify = 'right'
    digests = [figures[way]['digest'][:16] for way in WAYS]
    printed = io.BytesIO()
    page = io.TextIOWrapper(printed, sys.stdout.encoding)
    console = extra('rich.console').Console(
        file=page, force_terminal=sys.stdout.isatty(), markup=False, highlight=False, emoji=False
    )
    console.width = max(80, console.width)  # on a narrower terminal lines are wrapped, not cut
    parts = (
        figures['workload'],
        f'ExaBGP {figures["exabgp"]}, Python {figures["python"]}, exabgp-intern {figures["exabgp_intern"]}',
        costs,
        objects,
        COUNTS[figures['source']].format(**figures),
        *_more_counts(figures),
        *_how(figures),
        f'both ways print the same (sha256 {digests[0]}...)'
        if figures['same_output']
        else f'THE TWO WAYS DO NOT PRINT THE SAME (sha256 {digests[0]}... and {digests[1]}...)',
        *([f'DAMAGED INPUT: {figures["damaged"]}'] if figures['damaged'] else []),
    )
    for part in parts:
        if isinstance(part, str):  # a path may have what the terminal has not
            part = part.encode(console.encoding, 'backslashreplace').decode(console.encoding)
        console.print(part, soft_wrap=isinstance(part, str))
    page.flush()
    return printed.getvalue().decode(page.encoding)


def _how(figures: dict[str, Any]) -> Iterator[str]:
    """Yield how the figures were measured, and which were not."""
    traced, said = figures['traced_routes'], ''
    if traced is None:
        said = f'; traced bytes: not measured for a configuration of more than {SAMPLE:,} routes'
    elif not figures['traced_all']:
        held = '' if traced >= SAMPLE else f', {traced:,} of which are held then'
        said = f'; traced bytes: of the first {SAMPLE:,} routes{held}'
    yield f'time: best of {figures["repeats"]}, each in a process of its own{said}'
    if figures['repeats'] == 1:
        yield 'saving of time: not known from one load, --repeat 2 would tell'
    elif figures['saving']['microseconds'] == 0:
        yield 'saving of time: none, the difference is no larger than the spread of the repeated loads'
    if figures['stock']['resident'] is None:
        yield f'resident bytes: not measured for fewer than {FEW:,} routes'


def _more_counts(figures: dict[str, Any]) -> Iterator[str]:
    reasons = [*figures['refusals'].items()]
    for reason, number in reasons[:MOST_REASONS]:
        yield f'refused: {number:,} with: {reason}'
    if reasons[MOST_REASONS:]:
        yield f'refused: {sum(number for _, number in reasons[MOST_REASONS:]):,} for other reasons, which --json has'
    if figures['source'] == 'updates' and figures['skipped']:
        yield 'skipped: ' + ', '.join(f'{number:,} {kind}' for kind, number in figures['skipped_kinds'].items())
    if figures['zero_next_hops']:
        yield f'routes without a next hop in the file: {figures["zero_next_hops"]:,}; 0.0.0.0 or :: is used'


def saving(figures: dict[str, Any], key: str, form: str) -> str:
    """Return what interning saves of FIGURES `key`."""
    return 'none' if figures['saving'][key] == 0 else shown(figures['saving'][key], form)


def shown(value: float | None, form: str) -> str:
    """Return `value` as the format `form` has it, a dash if there is none."""
    return '-' if value is None else form.format(value)
