"""scripts/benchmark.py, each part with few routes and few turns: that it runs, and that its figures are figures."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

from tests import ROOT

# of the extra `benchmark`, which only the tox env of that name has: once is enough for what takes half a minute
pytest.importorskip('multiton')

PARTS = ('constructor', 'decode', 'rib', 'sharing', 'peers')


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / 'scripts/benchmark.py'), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from numbers(each)
    elif isinstance(value, (int, float)):
        yield value


@pytest.mark.parametrize('part', PARTS)
def test_each_part_gives_a_table_json_and_a_page(part: str, tmp_path: Path) -> None:
    page = (ROOT / 'docs/performance.md').read_text(encoding='utf-8')
    before, _, rest = page.partition(f'<!-- {part} -->')
    after = rest.partition(f'<!-- end of {part} -->')[2]
    (tmp_path / 'performance.md').write_text(
        f'{before}<!-- {part} -->stale figures<!-- end of {part} -->{after}', encoding='utf-8'
    )
    done = run('--quick', '--only', part, '--json', str(tmp_path / 'json'), '--write', str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert 'measured' not in done.stderr  # no progress where there is no terminal

    results = json.loads((tmp_path / 'json').read_text())
    assert list(results['parts']) == [part]
    figures = list(numbers(results['parts'][part]))
    assert figures and all(math.isfinite(figure) for figure in figures)

    written = (tmp_path / 'performance.md').read_text(encoding='utf-8')
    assert written.startswith(before) and written.endswith(after)
    block = written[len(before) : len(written) - len(after)]
    assert 'ExaBGP 5' in block and '| ' in block and 'stale' not in block
    pictures = [picture.name for picture in (tmp_path / 'figures').glob('*')]
    assert pictures == [f'{part}.svg']
    assert all(f'figures/{picture}' in block for picture in pictures)


def test_the_page_has_a_place_for_each_part_and_its_picture() -> None:
    page = (ROOT / 'docs/performance.md').read_text(encoding='utf-8')
    for part in PARTS:
        assert page.count(f'<!-- {part} -->') == page.count(f'<!-- end of {part} -->') == 1
        assert (ROOT / f'docs/figures/{part}.svg').is_file()


def test_an_unknown_part_is_refused() -> None:
    done = run('--only', 'decode,nothing')
    assert done.returncode == 2
    assert 'nothing' in done.stderr


def test_a_speaker_that_is_not_installed_or_does_not_start_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / 'scripts'))
    from benchmarks import peers

    def child(name: str, **job: Any) -> dict[str, Any]:
        return {'skipped': 'no.'} if name == 'BIRD' else {'base': 2**20, 'resident': 1000.0, 'seconds': 1.0}

    child.quick = True  # type: ignore[attr-defined]
    of_exabgp = peers.DAEMONS['stock'].command
    for name, daemon in peers.DAEMONS.items():
        command = of_exabgp if name == 'BIRD' else daemon.command
        ask = () if name == 'BIRD' else daemon.ask
        changed = daemon._replace(command=command, ask=ask, version=(), path=str(tmp_path))
        monkeypatch.setitem(peers.DAEMONS, name, changed)
    memory, seconds = peers.tables(peers.run(child))  # type: ignore[arg-type]
    cells = {row[0]: row[1] for row in memory.rows}
    assert cells['ExaBGP, stock'] == '1'
    assert cells['GoBGP'] == 'gobgpd is not installed'
    assert cells['FRR'] == cells['OpenBGPD'] == 'bgpd is not installed'
    assert cells['BIRD'] == 'no.'
    assert {row[0] for row in seconds.rows} == {row[0] for row in memory.rows if row[1] == '1'}


def test_break_even_is_where_the_ratio_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / 'scripts'))
    from benchmarks.sharing import _break_even

    def points(at_once: float, per_value: float) -> dict[str, dict[str, float]]:
        return {str(factor): {'ratio': at_once + per_value / factor} for factor in (1, 2, 4, 10, 100)}

    assert _break_even(points(0.8, 0.6)) == pytest.approx(3)
    assert _break_even(points(0.8, 0.1)) == 1
    assert _break_even(points(1.1, 0.1)) is None
