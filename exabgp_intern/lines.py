"""The release series of ExaBGP, 4.2, 5.0 and 6, told apart by the shape of their classes.

In ExaBGP 4.2 and 5.0 a qualifier is constructed from its parts, and an NLRI holds it for life.  In ExaBGP 6 it is
constructed from its wire bytes, and most NLRIs hold wire bytes and make a new qualifier at every access.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, Iterable, Iterator

__all__ = (
    'CLASSES',
    'actions',
    'attributes',
    'canonical_class',
    'classes',
    'decode',
    'hold',
    'modules',
    'nlris_hold',
    'package_of_sets',
    'release',
    'start',
)

QUALIFIER = 'exabgp.bgp.message.update.nlri.qualifier'

# The canonical classes, and their modules for ExaBGP 4.2 and 5.0.
CLASSES = {
    'RouteDistinguisher': 'exabgp_intern.qualifier.rd',
    'Labels': 'exabgp_intern.qualifier.labels',
    'PathInfo': 'exabgp_intern.qualifier.path',
    'ESI': 'exabgp_intern.qualifier.esi',
    'EthernetTag': 'exabgp_intern.qualifier.etag',
    'MAC': 'exabgp_intern.qualifier.mac',
    'NextHop': 'exabgp_intern.attribute.nexthop',
}

# The modules of ExaBGP 6 that construct the qualifiers that an NLRI then holds.  The qualifiers that other modules
# construct are freed at once.  There each construction would be a miss, and a miss costs more than the object.
HOLDING = tuple('exabgp.bgp.message.update.nlri.' + name for name in ('label', 'ipvpn', 'bgpls.nlri'))


def classes() -> tuple[str, ...]:
    """Return which of CLASSES there are for the ExaBGP that is installed, which this imports."""
    return tuple(name for name in CLASSES if name != 'NextHop' or not _packed())


def canonical_class(name: str) -> Any:
    """Return the class `name` of CLASSES for the ExaBGP that is installed; this imports ExaBGP."""
    return getattr(import_module('exabgp_intern.exabgp6.qualifiers' if _packed() else CLASSES[name]), name)


def package_of_sets() -> str:
    """Return the package that shares attributes in the ExaBGP that is installed."""
    return 'exabgp_intern.exabgp6' if _packed() else 'exabgp_intern.attribute'


def modules() -> Iterator[ModuleType]:
    """Yield the imported modules of ExaBGP in which the canonical classes are to replace ExaBGP's own."""
    packed = _packed()
    for name, module in list(sys.modules.items()):
        if name.split('.')[0] == 'exabgp' and (not packed or name.startswith(QUALIFIER) or name in HOLDING):
            yield module


def attributes(instance: Any) -> dict[str, Any]:
    """Return what an object of ExaBGP's holds, by name, in slots (as in 4.2) or not."""
    cls: Any = type(instance)
    held = {slot: getattr(instance, slot) for slot in _slots(cls) if hasattr(instance, slot)}
    return {**held, **getattr(instance, '__dict__', {})}


@lru_cache(maxsize=None)
def _slots(cls: Any) -> tuple[str, ...]:
    slots = [slot for base in cls.__mro__ for slot in vars(base).get('__slots__', ())]
    return tuple(slot for slot in slots if slot not in ('__weakref__', '__dict__'))


def nlris_hold() -> bool:
    """Return whether ExaBGP's own NLRIs hold qualifiers, so that fewer of these save memory."""
    return not _packed()


def hold(names: Iterable[str]) -> None:
    """Make the NLRIs of ExaBGP 6 hold what they hand out of the classes `names`, where they have a free slot for it."""
    if _packed():
        import_module('exabgp_intern.exabgp6.nlris').hold(names)


def release() -> None:
    """Give the NLRIs of ExaBGP 6 their own accessors back."""
    if QUALIFIER in sys.modules and _packed():
        import_module('exabgp_intern.exabgp6.nlris').release()


def start() -> None:
    """Set ExaBGP up as its own main program does, with its log off: before that it decodes nothing."""
    try:
        from exabgp.environment import getenv
        from exabgp.logger import log
    except ImportError:  # 4.2
        log = import_module('exabgp.configuration.setup').environment.setup('').log
        log.enable = False
        log.level = 0  # what its API says has no switch
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
