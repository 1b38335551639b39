"""The lines of ExaBGP, told apart by the shape of their classes; nothing else of this package knows of them.

In ExaBGP 4.2 and 5.0 a qualifier is constructed from its parts, and an NLRI holds it for life.  In ExaBGP 6 it is
constructed from its wire bytes, and most NLRIs hold wire bytes and make a new one at every access.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Iterable, Iterator

__all__ = (
    'CLASSES',
    'actions',
    'canonical_class',
    'classes',
    'decode',
    'hold',
    'modules',
    'nlris_hold',
    'release',
    'start',
)

QUALIFIER = 'exabgp.bgp.message.update.nlri.qualifier'

# The classes by the module of this package that makes them for ExaBGP 4.2 and 5.0.
CLASSES = {
    'RouteDistinguisher': 'rd',
    'Labels': 'labels',
    'PathInfo': 'path',
    'ESI': 'esi',
    'EthernetTag': 'etag',
    'MAC': 'mac',
    'NextHop': 'nexthop',
}

# Where ExaBGP 6 constructs what an NLRI then holds.  What its other modules construct is gone with the next line:
# each would be a miss, which costs more than the object.
HOLDING = tuple('exabgp.bgp.message.update.nlri.' + name for name in ('label', 'ipvpn', 'bgpls.nlri'))


def classes() -> tuple[str, ...]:
    """Return which of CLASSES there are for the ExaBGP that is installed, which this imports."""
    return tuple(name for name in CLASSES if name != 'NextHop' or not _packed())


def canonical_class(name: str) -> Any:
    """Return the class `name` of CLASSES for the ExaBGP that is installed; this imports ExaBGP."""
    return getattr(import_module('exabgp_intern.' + ('packed' if _packed() else CLASSES[name])), name)


def modules() -> Iterator[ModuleType]:
    """Yield the modules of ExaBGP in which the canonical classes are to stand for its own, of those imported."""
    packed = _packed()
    for name, module in list(sys.modules.items()):
        if name.split('.')[0] == 'exabgp' and (not packed or name.startswith(QUALIFIER) or name in HOLDING):
            yield module


def nlris_hold() -> bool:
    """Return whether ExaBGP's own NLRIs hold qualifiers, so that fewer of these save memory."""
    return not _packed()


def hold(names: Iterable[str]) -> None:
    """Make the NLRIs of ExaBGP 6 hold what they hand out of the classes `names`, where they have a free slot for it."""
    if _packed():
        import_module('exabgp_intern.holding').hold(names)


def release() -> None:
    """Give the NLRIs of ExaBGP 6 their own accessors back."""
    if 'exabgp_intern.holding' in sys.modules:
        sys.modules['exabgp_intern.holding'].release()


def start() -> None:
    """Set ExaBGP up as its own main program does, with its log off: before that it decodes nothing."""
    try:
        from exabgp.environment import getenv
        from exabgp.logger import log
    except ImportError:  # 4.2
        import_module('exabgp.configuration.setup').environment.setup('').log.enable = False
    else:
        environment = getenv()
        environment.log.enable = False
        environment.log.destination = 'stderr'  # not the user's file
        log.init(environment)


def actions() -> tuple[Any, Any]:
    """Return what ExaBGP calls to announce and to withdraw."""
    message = import_module('exabgp.bgp.message')
    if hasattr(message, 'Action'):
        return message.Action.ANNOUNCE, message.Action.WITHDRAW
    return message.IN.ANNOUNCED, message.IN.WITHDRAWN  # 4.2


def decode(family: tuple[int, int], octets: bytes, addpath: bool) -> tuple[Any, Any]:
    """Return the first NLRI of `octets`, as announced for `family`, (AFI, SAFI), and the octets behind it."""
    unpack = import_module('exabgp.bgp.message.update.nlri').NLRI.unpack_nlri
    if not _packed():
        return unpack(*family, octets, actions()[0], addpath)
    unset = import_module('exabgp.bgp.message.open.capability.negotiated').Negotiated.UNSET
    return unpack(*family, octets, actions()[0], addpath, unset)


def _packed() -> bool:
    """Return whether this is ExaBGP 6."""
    try:
        return hasattr(import_module(QUALIFIER).RouteDistinguisher, 'unpack_routedistinguisher')
    except ImportError:  # whoever asks for a class is told
        return False
