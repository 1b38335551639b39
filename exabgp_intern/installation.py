"""Makes ExaBGP use the canonical classes, and puts its own back."""

from __future__ import annotations

import copyreg
import sys
from importlib import import_module
from inspect import signature
from typing import Any, Iterable

from exabgp_intern.canonical import restore

__all__ = ('CLASSES', 'DEFAULT', 'UnsupportedExaBGP', 'canonical_class', 'exabgp_version', 'install', 'uninstall')

# The classes by the module of ExaBGP's package `qualifier`, and of this package, that exports them.
CLASSES = {
    'RouteDistinguisher': 'rd',
    'Labels': 'labels',
    'PathInfo': 'path',
    'ESI': 'esi',
    'EthernetTag': 'etag',
    'MAC': 'mac',
}

# The ones that pay.  The MAC addresses of a table are nearly all different.
DEFAULT = ('RouteDistinguisher', 'Labels', 'PathInfo', 'ESI', 'EthernetTag')


class UnsupportedExaBGP(Exception):
    """The installed ExaBGP is not one that this package knows; nothing was changed."""


def install(classes: Iterable[str | type] = DEFAULT) -> None:
    """Make ExaBGP construct canonical objects of `classes`, by name; those it does already stay so.

    Works before ExaBGP is imported and after.  Objects made before keep working beside the new.
    Raises UnsupportedExaBGP, and has then changed nothing, if ExaBGP's class has another shape than
    the known one or behaves otherwise; ValueError for a name that is not in CLASSES.
    """
    names = [chosen if isinstance(chosen, str) else chosen.__name__ for chosen in classes]
    for name in names:
        if name not in CLASSES:
            raise ValueError(f'no class {name!r} to install, there are {", ".join(CLASSES)}')
    chosen = [_checked(name) for name in names]
    _rebind([(cls._stock, cls) for cls in chosen])
    for cls in chosen:
        # pickle finds a class by its name, which now leads to the canonical one
        copyreg.dispatch_table.setdefault(cls._stock, _reduce_stock)


def uninstall() -> None:
    """Put ExaBGP's own classes back, in the modules that were imported since install() too.

    Canonical objects that routes still hold stay canonical, and keep working.
    """
    loaded = [name for name, module in CLASSES.items() if 'exabgp_intern.' + module in sys.modules]
    classes = [canonical_class(name) for name in loaded]
    _rebind([(cls, cls._stock) for cls in classes])
    for cls in classes:
        if copyreg.dispatch_table.get(cls._stock) is _reduce_stock:
            del copyreg.dispatch_table[cls._stock]


def exabgp_version() -> str:
    """Return the version that ExaBGP gives itself, `unknown` if it gives none."""
    try:
        return str(import_module('exabgp.version').release)
    except Exception:
        return 'unknown'


def canonical_class(name: str) -> Any:
    """Return the class `name` of CLASSES; this imports ExaBGP."""
    return getattr(import_module('exabgp_intern.' + CLASSES[name]), name)


def _rebind(pairs: list[tuple[type, type]]) -> None:
    # ExaBGP binds its classes by name, early and in many modules; nothing else of it holds them.
    new = {id(old): replacement for old, replacement in pairs}
    for name, module in list(sys.modules.items()):
        if name == 'exabgp' or name.startswith('exabgp.'):
            for attribute, value in list(getattr(module, '__dict__', {}).items()):  # None where import is barred
                if id(value) in new:
                    setattr(module, attribute, new[id(value)])


def _reduce_stock(qualifier: Any) -> tuple[Any, ...]:
    """Pickle an instance of ExaBGP's own class while another stands under its name."""
    cls: Any = next(canonical_class(name) for name in CLASSES if canonical_class(name)._stock is type(qualifier))
    if cls._sentinel and qualifier is getattr(cls, cls._sentinel):
        return getattr, (cls, cls._sentinel)
    return restore, (cls, vars(qualifier))


def _checked(name: str) -> Any:
    """Return the canonical class `name` if ExaBGP's has the shape and the behaviour it counts on."""
    try:
        cls = canonical_class(name)
        stock = cls._stock
        if getattr(sys.modules[stock.__module__], name) not in (stock, cls):
            raise TypeError('its module was imported anew')
        parameters = tuple(signature(stock.__init__).parameters)[1:]
        if parameters != cls._parameters:
            raise TypeError(f'takes ({", ".join(parameters)}), not ({", ".join(cls._parameters)})')
        for arguments in cls._samples:
            made = stock(**arguments)
            if vars(made).keys() != set(cls._state):
                raise TypeError(f'holds ({", ".join(vars(made))}), not ({", ".join(cls._state)})')
            if _observed(cls(**arguments), cls._state) != _observed(made, cls._state):
                raise TypeError(f'makes something else of {arguments}')
    except Exception as problem:
        raise UnsupportedExaBGP(f'{name} of ExaBGP {exabgp_version()}: {problem}') from problem
    return cls


def _observed(qualifier: Any, state: Iterable[str]) -> dict[str, Any]:
    seen = {name: getattr(qualifier, name) for name in state}
    return {**seen, 'json': qualifier.json(), 'pack': qualifier.pack(), 'str': str(qualifier), 'len': len(qualifier)}
