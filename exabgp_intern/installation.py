"""Makes ExaBGP use the canonical classes, and puts its own back."""

from __future__ import annotations

import copyreg
import sys
from contextlib import suppress
from importlib import import_module
from inspect import signature
from typing import Any, Iterable, Iterator

from exabgp_intern import lines
from exabgp_intern.canonical import stock_of
from exabgp_intern.lines import CLASSES, attributes, canonical_class

__all__ = ('DEFAULT', 'SETS', 'UnsupportedExaBGP', 'exabgp_version', 'install', 'installed', 'sets', 'uninstall')

# All but MAC: the MAC addresses of a table are nearly all different.
DEFAULT = ('RouteDistinguisher', 'Labels', 'PathInfo', 'ESI', 'EthernetTag', 'NextHop')

# What else routes can share, and the module that makes them share it.  Each package of sets has such modules.
SETS = {'Attributes': 'received', 'Announced': 'announced', 'PathAttributes': 'parts'}


class UnsupportedExaBGP(Exception):
    """The installed ExaBGP, or this Python, is not one that this package knows; nothing was changed."""


def install(
    classes: Iterable[str | type] | None = None,
    attributes: bool = True,
    announced: bool = True,
    path_attributes: bool = True,
) -> None:
    """Make ExaBGP construct canonical objects of `classes`, by name.  What is installed already stays installed.

    The default is DEFAULT: all but MAC, and on ExaBGP 6 without NextHop too.

    With `attributes`, the routes of UPDATEs that have the same attributes share one attribute set, in ExaBGP 5.0 and 6.
    With `announced`, the routes of the configuration and the API do so, in ExaBGP 4.2.22 and later, 5.0 and 6.  With
    `path_attributes`, sets share their attributes.

    This works before ExaBGP is imported and after.  Objects that were made before keep working beside the new ones.
    Raises UnsupportedExaBGP if the shape or the behaviour of ExaBGP's class is not the known one, or if this is not
    CPython, and ValueError for a name that is not in CLASSES.  Nothing is changed then.
    """
    if sys.implementation.name != 'cpython':
        # An object must go with the last reference to it, and PyPy waits for a collection.
        raise UnsupportedExaBGP(f'needs CPython, and this is {sys.implementation.name}')
    if classes is None:
        classes = [name for name in DEFAULT if name in lines.classes()]
    names = [chosen if isinstance(chosen, str) else chosen.__name__ for chosen in classes]
    for name in names:
        if name not in CLASSES:
            raise ValueError(f'unknown class {name!r}, known classes: {", ".join(CLASSES)}')
    chosen = [_checked(name) for name in names]
    new = {cls._stock: cls for cls in chosen}
    for module, name, _, stock in _bound():
        if stock in new:
            setattr(module, name, new[stock])
    lines.hold(names)
    for stock in new:
        # pickle finds a class by its name, and that now leads to the canonical one
        if stock not in copyreg.dispatch_table or _is_ours(stock):
            copyreg.dispatch_table[stock] = _reduce_stock
    wanted = dict(zip(SETS, (attributes, announced, path_attributes)))
    for name, module in sets().items():
        if wanted[name]:
            module.HOOKS.install()


def uninstall() -> None:
    """Put ExaBGP's own classes back, in the modules that were imported since install() too.

    Canonical objects that routes still hold stay canonical, and keep working.
    """
    for module, name, value, stock in _bound():
        if value is not stock:
            setattr(module, name, stock)
    lines.release()
    for stock in [stock for stock in copyreg.dispatch_table if _is_ours(stock)]:
        del copyreg.dispatch_table[stock]
    for module in sets().values() if 'exabgp.bgp.message.update' in sys.modules else ():
        module.HOOKS.uninstall()


def exabgp_version() -> str:
    """Return the version that ExaBGP gives itself, without the date of a checkout; `unknown` if it gives none."""
    try:
        version = import_module('exabgp.version')
        return str(getattr(version, 'release', None) or version.version).split('-')[0]
    except Exception:
        return 'unknown'


def installed() -> list[str]:
    """Return the names of what is installed now: of CLASSES, and of SETS."""
    classes = map(canonical_class, lines.classes())
    names = [cls.__name__ for cls in classes if vars(_module_of(cls._stock))[cls.__name__] is cls]
    return [*names, *(name for name, module in sets().items() if module.HOOKS.installed())]


def sets() -> dict[str, Any]:
    """Return the modules of SETS that fit the ExaBGP that is installed, by name; this imports ExaBGP."""
    found = {}
    for name, module_name in SETS.items() if sys.implementation.name == 'cpython' else ():
        with suppress(Exception):  # another ExaBGP may have anything
            module = import_module(f'{lines.package_of_sets()}.{module_name}')
            if module.known():
                found[name] = module
    return found


def _bound() -> Iterator[tuple[Any, str, Any, Any]]:
    """Yield module, name, class and ExaBGP's own class for each class in the modules of ExaBGP.

    ExaBGP imports its classes by name, early and in many modules.  Nothing else of it holds them.
    """
    for module in lines.modules():
        for name, value in list(getattr(module, '__dict__', {}).items()):  # a module is None where import is barred
            if isinstance(value, type):
                yield module, name, value, stock_of(value)


def _module_of(stock: Any) -> Any:
    return sys.modules[stock.__module__]


def _is_ours(stock: Any) -> bool:
    # by name: an earlier import of this module may have left its own
    reduce = copyreg.dispatch_table[stock]
    return (reduce.__module__, getattr(reduce, '__name__', '')) == (__name__, _reduce_stock.__name__)


def _reduce_stock(instance: Any) -> tuple[Any, ...]:
    """Pickle an instance of ExaBGP's own class while the canonical class stands under its name."""
    cls = vars(_module_of(type(instance)))[type(instance).__name__]
    # copy.copy() asks here too if the class has no __copy__, and ExaBGP's copy of a sentinel is then another object
    if hasattr(instance, '__copy__'):
        for name, value in vars(cls._stock).items():
            if value is instance:
                return getattr, (cls, name)
    return _restore, (cls, attributes(instance))


def _restore(cls: Any, state: dict[str, Any]) -> Any:
    """Return the instance of `cls` with ExaBGP's attributes `state`; it is shared if it can be."""
    plain = cls.__new__(cls)
    for name, value in state.items():
        setattr(plain, name, value)
    return cls._of(plain) if state.keys() == {*cls._state} else plain


def _checked(name: str) -> Any:
    """Return the canonical class `name` if ExaBGP's has the shape and the behaviour it counts on."""
    try:
        cls = canonical_class(name)
        stock = cls._stock
        if stock_of(getattr(_module_of(stock), name)) is not stock:
            raise TypeError('its module was imported a second time')
        parameters = tuple(signature(stock.__init__).parameters)[1:]
        if parameters != cls._parameters:
            raise TypeError(f'takes ({", ".join(parameters)}), not ({", ".join(cls._parameters)})')
        for arguments in cls._samples:
            made = stock(**arguments)
            if attributes(made).keys() != set(cls._state):
                raise TypeError(f'holds ({", ".join(attributes(made))}), not ({", ".join(cls._state)})')
            if _observed(cls(**arguments), cls) != _observed(made, cls):
                raise TypeError(f'behaves differently for {arguments}')
    except Exception as problem:
        raise UnsupportedExaBGP(f'{name} of ExaBGP {exabgp_version()}: {problem}') from problem
    return cls


def _observed(instance: Any, cls: Any) -> list[Any]:
    return [getattr(instance, name) for name in cls._state] + [getattr(instance, name)() for name in cls._shows]
