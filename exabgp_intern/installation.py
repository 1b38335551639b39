"""Makes ExaBGP use the canonical classes, and puts its own back."""

from __future__ import annotations

import copyreg
import sys
from importlib import import_module
from inspect import signature
from typing import Any, Iterable

from exabgp_intern import lines
from exabgp_intern.canonical import attributes, restore
from exabgp_intern.lines import CLASSES, canonical_class

__all__ = ('DEFAULT', 'UnsupportedExaBGP', 'attribute_sets', 'exabgp_version', 'install', 'installed', 'uninstall')

# The ones that pay.  The MAC addresses of a table are nearly all different.
DEFAULT = ('RouteDistinguisher', 'Labels', 'PathInfo', 'ESI', 'EthernetTag', 'NextHop')

# The classes that were installed at any time.
_installed: dict[Any, None] = {}


class UnsupportedExaBGP(Exception):
    """The installed ExaBGP is not one that this package knows; nothing was changed."""


def install(classes: Iterable[str | type] | None = None, attributes: bool = True) -> None:
    """Make ExaBGP construct canonical objects of `classes`, by name; those it does already stay so.

    By default of those in DEFAULT: all but MAC, and on ExaBGP 6 without NextHop too.  With `attributes`,
    UPDATEs with the same attributes share one set, where ExaBGP keeps it as 5.0 does.

    Works before ExaBGP is imported and after.  Objects made before keep working beside the new.
    Raises UnsupportedExaBGP, and has then changed nothing, if ExaBGP's class has another shape than
    the known one or behaves otherwise; ValueError for a name that is not in CLASSES.
    """
    if classes is None:
        classes = [name for name in DEFAULT if name in lines.classes()]
    names = [chosen if isinstance(chosen, str) else chosen.__name__ for chosen in classes]
    for name in names:
        if name not in CLASSES:
            raise ValueError(f'no class {name!r} to install, there are {", ".join(CLASSES)}')
    chosen = [_checked(name) for name in names]
    _rebind([(cls._stock, cls) for cls in chosen])
    lines.hold(names)
    for cls in chosen:
        _installed[cls] = None
        # pickle finds a class by its name, which now leads to the canonical one
        copyreg.dispatch_table.setdefault(cls._stock, _reduce_stock)
    sets = attribute_sets()
    if attributes and sets:
        sets.install()


def uninstall() -> None:
    """Put ExaBGP's own classes back, in the modules that were imported since install() too.

    Canonical objects that routes still hold stay canonical, and keep working.
    """
    _rebind([(cls, cls._stock) for cls in _installed])
    lines.release()
    for cls in _installed:
        if copyreg.dispatch_table.get(cls._stock) is _reduce_stock:
            del copyreg.dispatch_table[cls._stock]
    if 'exabgp_intern.attributes' in sys.modules:
        sys.modules['exabgp_intern.attributes'].uninstall()


def exabgp_version() -> str:
    """Return the version that ExaBGP gives itself, `unknown` if it gives none."""
    try:
        return str(import_module('exabgp.version').release)
    except Exception:
        return 'unknown'


def installed() -> list[str]:
    """Return the names of what is installed now, with `Attributes` where attribute sets are shared."""
    names = [cls.__name__ for cls in _installed if vars(sys.modules[cls._stock.__module__])[cls.__name__] is cls]
    sets = sys.modules.get('exabgp_intern.attributes')
    return [*names, *(['Attributes'] if sets and sets.installed() else [])]


def attribute_sets() -> Any:
    """Return the module that shares attribute sets, None where ExaBGP lacks what it works on; this imports ExaBGP."""
    try:
        sets = import_module('exabgp_intern.attributes')
    except ImportError:
        return None
    return sets if sets.known() else None


def _rebind(pairs: list[tuple[type, type]]) -> None:
    # ExaBGP binds its classes by name, early and in many modules; nothing else of it holds them.
    new = {id(old): replacement for old, replacement in pairs}
    for module in lines.modules() if new else ():
        for attribute, value in list(getattr(module, '__dict__', {}).items()):  # None where import is barred
            if id(value) in new:
                setattr(module, attribute, new[id(value)])


def _reduce_stock(qualifier: Any) -> tuple[Any, ...]:
    """Pickle an instance of ExaBGP's own class while another stands under its name."""
    cls = next(cls for cls in _installed if cls._stock is type(qualifier))
    if hasattr(qualifier, '__copy__'):  # else copy asks here too, and ExaBGP's copy of a sentinel is another object
        for name, value in vars(cls._stock).items():
            if value is qualifier:
                return getattr, (cls, name)
    return restore, (cls, attributes(qualifier))


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
            if attributes(made).keys() != set(cls._state):
                raise TypeError(f'holds ({", ".join(attributes(made))}), not ({", ".join(cls._state)})')
            if _observed(cls(**arguments), cls) != _observed(made, cls):
                raise TypeError(f'makes something else of {arguments}')
    except Exception as problem:
        raise UnsupportedExaBGP(f'{name} of ExaBGP {exabgp_version()}: {problem}') from problem
    return cls


def _observed(instance: Any, cls: Any) -> list[Any]:
    return [getattr(instance, name) for name in cls._state] + [getattr(instance, name)() for name in cls._shows]
