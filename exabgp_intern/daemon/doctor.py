"""`exabgp-intern doctor`: whether the ExaBGP of this machine can be interned, class by class."""

from __future__ import annotations

import os
import platform
import sys
from importlib import import_module
from importlib.util import find_spec

from exabgp_intern import __version__, lines
from exabgp_intern.daemon.run import programs, script
from exabgp_intern.installation import DEFAULT, exabgp_version, install, sets

__all__ = ('doctor',)


SHARED = (
    ('Attributes', 'attribute sets of received routes'),
    ('Announced', 'attribute sets of announced routes'),
    ('PathAttributes', 'AS paths, communities and other attributes of received routes'),
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
        'ExaBGP': f'{exabgp_version()} in {_where_exabgp_is()}, its program is {_if_it_is_there(sys.argv[0])}',
        'settings': _if_it_is_there(_settings_file()),
        'Python': f'{platform.python_version()}, {sys.executable}',
        '--stats-file': 'its library is installed' if find_spec('prometheus_client') else 'needs exabgp-intern[stats]',
        **{name: refused.get(name, _if_it_can_be(name)) for name in lines.classes()},
        **{
            name: f'{"can be shared" if name in sets() else "not shared with this ExaBGP"}: {what}'
            for name, what in SHARED
        },
    }
    width = max(map(len, rows))
    for row, text in rows.items():
        print(f'{row:{width}}  {text}')
    others = {os.path.realpath(each): each for each in reversed(programs())}
    others.pop(os.path.realpath(sys.argv[0]), None)
    if others:
        print(f'warning: there is another ExaBGP here, which `run` does not start: {", ".join(others.values())}')
    return 1 if refused else 0


def _settings_file() -> str:
    """Return the file that ExaBGP reads its settings from, and where it would be if there is none."""
    try:
        return str(import_module('exabgp.environment.base').ENVFILE)
    except ImportError:  # before 5.0
        root = os.path.dirname(os.path.dirname(os.path.realpath(sys.argv[0])))
        beside = os.path.join('/' if root == '/usr' else root, 'etc/exabgp/exabgp.env')
        return beside if os.path.exists(beside) else '/etc/exabgp/exabgp.env'


def _if_it_is_there(path: str) -> str:
    return path if os.path.exists(path) else f'{path} (does not exist)'


def _where_exabgp_is() -> str:
    try:
        return os.path.dirname(str(import_module('exabgp').__file__))
    except ImportError:
        return 'no place where this Python looks'


def _if_it_can_be(name: str) -> str:
    return 'can be interned' if name in DEFAULT else 'can be interned, off by default: name it in --classes'
