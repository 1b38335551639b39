"""Shows the results: on the terminal, in docs/performance.md, and as pictures."""

from __future__ import annotations

import io
import os
import re
from contextlib import contextmanager
from typing import Any, Callable, Iterator

import matplotlib
from matplotlib.figure import Figure
from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable

from benchmarks.common import Table


@contextmanager
def progress(part: str) -> Iterator[Callable[[], None]]:
    """Show on a terminal how often what this yields was called."""
    columns = SpinnerColumn(), TextColumn('{task.description}: {task.completed} measured'), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(part, total=None)
        yield lambda: shown.advance(task)


def show(module: Any, results: dict[str, Any], caption: str) -> None:
    """Print the tables of a part; as wide as they are where that is no terminal."""
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = 200
    console.rule(module.NAME)
    console.print(caption, soft_wrap=True)
    for table in module.tables(results):
        console.print('\n' + table.title, soft_wrap=True)
        console.print(_rich(table, box.SIMPLE_HEAD))


def write(directory: str, part: str, module: Any, results: dict[str, Any], caption: str) -> None:
    """Replace in `directory`/performance.md what stands between the markers of a part, and draw its picture.

    Raises ValueError if there are no markers.
    """
    picture = f'figures/{part}.svg'
    _draw(os.path.join(directory, picture), module, results, caption)
    blocks = [f'![{module.NAME}]({picture})', f'{caption}.', *map(_markdown, module.tables(results))]
    path = os.path.join(directory, 'performance.md')
    with open(path, encoding='utf-8') as file:
        text = file.read()
    renewed = '\n\n'.join((f'<!-- {part} -->', *blocks, f'<!-- end of {part} -->'))
    text, found = re.subn(f'<!-- {part} -->.*<!-- end of {part} -->', lambda _: renewed, text, flags=re.DOTALL)
    if found != 1:
        raise ValueError(f'{path} has no place for {part}')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def _draw(path: str, module: Any, results: dict[str, Any], caption: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Text stays text, and there are no dates and random names: small files, which change only with the figures.
    matplotlib.rcParams.update({'svg.fonttype': 'none', 'svg.hashsalt': 'exabgp-intern'})
    figure = Figure(figsize=module.SIZE, layout='constrained')
    module.draw(results, figure)
    figure.supxlabel(caption, fontsize='x-small', color='#555555')
    figure.savefig(path, metadata={'Date': None} if path.endswith('.svg') else None)


def _rich(table: Table, style: box.Box) -> RichTable:
    shown = RichTable(box=style)
    for column, *cells in zip(table.columns, *table.rows):
        numbers = sum(cell[:1].isdigit() or cell in ('', '-') for cell in cells) == len(cells)
        shown.add_column(column, justify='right' if numbers else 'left', no_wrap=True)
    for row in table.rows:
        shown.add_row(*row)
    return shown


def _markdown(table: Table) -> str:
    console = Console(file=io.StringIO(), width=400, markup=False, highlight=False)
    console.print(_rich(table, box.MARKDOWN))
    return f'**{table.title}**\n\n' + re.sub(' +$', '', console.file.getvalue().strip(), flags=re.MULTILINE)
