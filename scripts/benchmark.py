#!/usr/bin/env python
"""Measure this package against ExaBGP's own classes, other ways to share values, and other BGP speakers.

Every comparison is paired: both sides do the same work, one after the other, and the median of the ratios counts, with
its quartiles.  Memory is measured in processes of their own.  Needs the extra `benchmark` of this package; a Python of
--pythons needs this package in its environment, and hashcons and multiton to measure them too.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from typing import Any

PARTS = ('constructor', 'decode', 'rib', 'sharing', 'peers')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', type=_parts, default=PARTS, metavar='PART,...', help=f'of {", ".join(PARTS)}')
    parser.add_argument('--quick', action='store_true', help='few routes, few turns: to see that it works')
    parser.add_argument('--pythons', nargs='+', metavar='PATH', help='interpreters for constructor and decode')
    parser.add_argument('--json', metavar='FILE', help='write all results there')
    parser.add_argument('--write', metavar='DIRECTORY', help='renew performance.md and figures/ there')
    parser.add_argument('--measure', nargs=2, metavar=('PART', 'JOB'), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        part, job = arguments.measure
        print(json.dumps(_module(part).measure(**json.loads(job))))
        return 0

    from benchmarks import page
    from benchmarks.common import Child, machine, versions

    results: dict[str, Any] = {'machine': machine(), 'versions': versions(), 'parts': {}}
    caption = f'{results["versions"]}; {results["machine"]}'
    for part in arguments.only:
        module = _module(part)
        with page.progress(part) as advance:
            found = module.run(Child(part, arguments.quick, arguments.pythons or [sys.executable], advance))
        # at once: what is measured stays when a later part fails
        results['parts'][part] = found
        if arguments.json:
            with open(arguments.json, 'w') as file:
                json.dump(results, file, indent=1)
        if arguments.write:
            page.write(arguments.write, part, module, found, caption)
        page.show(module, found, caption)
    return 0


def _parts(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(','))
    if not set(chosen) <= set(PARTS):
        raise argparse.ArgumentTypeError(f'{text!r} names other parts than {", ".join(PARTS)}')
    return chosen


def _module(part: str) -> Any:
    return import_module(f'benchmarks.{part}')


if __name__ == '__main__':
    sys.exit(main())
