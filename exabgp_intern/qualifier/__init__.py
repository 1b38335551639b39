"""The canonical qualifiers, in place of ExaBGP's package of this name: `from exabgp_intern.qualifier import Labels`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exabgp_intern.lines import canonical_class

if TYPE_CHECKING:
    from exabgp_intern.qualifier.esi import ESI
    from exabgp_intern.qualifier.etag import EthernetTag
    from exabgp_intern.qualifier.labels import Labels
    from exabgp_intern.qualifier.mac import MAC
    from exabgp_intern.qualifier.path import PathInfo
    from exabgp_intern.qualifier.rd import RouteDistinguisher

__all__ = ('ESI', 'EthernetTag', 'Labels', 'MAC', 'PathInfo', 'RouteDistinguisher')


def __getattr__(name: str) -> Any:
    if name in __all__:
        return canonical_class(name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
