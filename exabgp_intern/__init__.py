"""One object for each value of ExaBGP's route qualifiers and next hops, held as long as a route refers to it.

`install()` makes ExaBGP use it; `exabgp-intern report` shows what that saves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exabgp_intern.installation import UnsupportedExaBGP, install, uninstall
from exabgp_intern.lines import CLASSES, canonical_class
from exabgp_intern.statistics import Statistics, stats

if TYPE_CHECKING:
    from exabgp_intern.attribute.nexthop import NextHop
    from exabgp_intern.qualifier import ESI, MAC, EthernetTag, Labels, PathInfo, RouteDistinguisher

__all__ = (
    'ESI',
    'EthernetTag',
    'Labels',
    'MAC',
    'NextHop',
    'PathInfo',
    'RouteDistinguisher',
    'Statistics',
    'UnsupportedExaBGP',
    'install',
    'stats',
    'uninstall',
)

__version__ = '0.1.0'


def __getattr__(name: str) -> Any:
    # Not before they are asked for: to import ExaBGP fixes where it looks for its files.
    if name in CLASSES:
        return canonical_class(name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
