"""`exabgp-intern doctor`: whether the ExaBGP of this machine can be interned, class by class."""

from __future__ import annotations

import os
import platform
import sys
from importlib import import_module
from importlib.util import find_spec

from exabgp_intern import __version__, lines
from exabgp_intern.daemon.run import script
from exabgp_intern.installation import DEFAULT, exabgp_version, install, sets

__all__ = ('doctor',)


SHARED = (
    ('Attributes', 'the sets of received routes'),
    ('Announced', 'the sets of announced routes'),
    ('PathAttributes', 'the attributes of received routes'),
)


def doctor() -> int:
    """Print what `exabgp-intern run` would find here, and return 0 if every class can be interned, else 1."""
    # as in `run`: importing ExaBGP fixes where it looks for its files
    sys.argv[0] = script()
    refused = {}
    for name in lines.classes():
        try:
            install([name], attributes=False, announced=False, path_attributes=False)
        except Exception as problem:
            refused[name] = str(problem) or repr(problem)
    rows = {
        'exabgp-intern': __version__,
        'ExaBGP': f'{exabgp_version()} in {_where_exabgp_is()}, its program is {sys.argv[0]}',
        'Python': f'{platform.python_version()}, {sys.executable}',
        '--stats-file': 'can be written' if find_spec('prometheus_client') else 'needs exabgp-intern[stats]',
        **{name: refused.get(name, _if_it_can_be(name)) for name in lines.classes()},
        **{
            name: 'can be shared' if name in sets() else f'{what} are not shared in this ExaBGP'
            for name, what in SHARED
        },
    }
    width = max(map(len, rows))
    for row, text in rows.items():
        print(f'{row:{width}}  {text}')
    return 1 if refused else 0


def _where_exabgp_is() -> str:
    try:
        return os.path.dirname(str(import_module('exabgp').__file__))
    except ImportError:
        return 'no place that this Python looks in'


def _if_it_can_be(name: str) -> str:
    return 'can be interned' if name in DEFAULT else 'can be interned, and is not unless you ask for it'
