"""All that can be seen of what ExaBGP 4.2 and 5.0 make of UPDATEs."""

from __future__ import annotations

from typing import Any

from exabgp.bgp.message import Update
from exabgp.bgp.message.direction import Direction
from exabgp.bgp.message.notification import Notify
from exabgp.bgp.message.update.attribute import Attributes as Stock
from exabgp.bgp.message.update.nlri import NLRI
from exabgp.bgp.neighbor import Neighbor
from exabgp.protocol.family import AFI, SAFI

from exabgp_intern import lines
from exabgp_intern.attribute import parts
from exabgp_intern.report.loading import negotiated_session
from tests.support import outcome

STOCK_DECODER = vars(Update)['unpack_message'].__func__


def session(asn4: bool = True, aigp: Any = False, addpath: bool = False) -> Any:
    """Return what a session of its own has negotiated."""
    neighbor = Neighbor()
    if hasattr(neighbor, 'aigp'):  # 4.2
        neighbor.aigp = aigp
    else:
        neighbor['capability']['aigp'] = aigp
    families = NLRI.known_families()
    return negotiated_session(neighbor, families, [(AFI.ipv4, SAFI.unicast)] if addpath else [], asn4)


def sessions() -> list[Any]:
    """Return one session of each kind, as far as attributes differ."""
    return [session(asn4, aigp) for asn4 in (True, False) for aigp in (False, True)]


def forget(negotiated: Any) -> None:
    """Empty the cache of one set that ExaBGP has for each session, and 5.0.1 for all of them."""
    if hasattr(Stock, 'cached'):
        Stock.cached = None
    elif negotiated is not None:
        negotiated.cached_attributes = None


def stock(body: Any, negotiated: Any, direction: Any = Direction.IN) -> Any:
    """Decode with ExaBGP's own, as on a session that is alone."""
    forget(negotiated)
    shared = parts.HOOKS.installed()
    parts.HOOKS.uninstall()
    try:
        return STOCK_DECODER(Update, body, direction, negotiated)
    finally:
        if shared:
            parts.HOOKS.install()


def decoded(body: Any, negotiated: Any, direction: Any = Direction.IN) -> Any:
    """Decode with what is installed."""
    if hasattr(Stock, 'cached'):
        forget(negotiated)  # what is not shared would come from another session, as it does in ExaBGP 5.0.1
    return Update.unpack_message(body, direction, negotiated)


OTHER = session(False)


def seen(decode: Any, body: Any, negotiated: Any, direction: Any = Direction.IN, kept: Any = None) -> Any:
    """Return all that can be seen of the UPDATE that `decode` makes of `body`, or the exception; keep its set."""
    try:
        made = decode(body, negotiated, direction)
    except Notify as raised:
        return type(raised), str(raised), raised.code, raised.subcode, raised.data
    except Exception as raised:
        return type(raised), str(raised)
    if kept is not None:
        kept.append(made.attributes)
    routes = [
        (
            type(nlri),
            outcome(lambda nlri=nlri: nlri.json()),  # type: ignore[misc]
            outcome(lambda nlri=nlri: str(nlri)),  # type: ignore[misc]
            outcome(lambda nlri=nlri: nlri.pack(negotiated)),  # type: ignore[misc]
            outcome(lambda nlri=nlri: nlri.index()),  # type: ignore[misc]
            str(nlri.nexthop) if hasattr(nlri, 'nexthop') else None,
            nlri.action,
        )
        for nlri in made.nlris
    ]
    messages = outcome(lambda: list(made.messages(negotiated)))
    return type(made), routes, shown(made.attributes, negotiated), messages


def shown(attributes: Any, negotiated: Any = OTHER) -> Any:
    """Return all that can be seen of a set, and of what it holds, in its order."""
    return (
        bool(attributes),
        [(code, state(value)) for code, value in attributes.items()],
        *[
            outcome(look)
            for look in (
                attributes.json,
                attributes.__str__,
                attributes.__repr__,
                attributes.index,
                lambda: attributes.as_dict() if hasattr(Stock, 'as_dict') else None,  # 5.0.1 has none
                lambda: attributes.pack(negotiated),
                lambda: attributes.pack(OTHER),
                lambda: attributes.pack(negotiated, False),
                lambda: hash(attributes),
                lambda: attributes == attributes,
            )
        ],
    )


def state(value: Any) -> Any:
    """Return the classes and the values of an attribute; without the texts that it keeps when it was asked for them."""
    if isinstance(value, (list, tuple)):
        return value.__class__, [state(each) for each in value]
    held = lines.attributes(value)
    if held and not isinstance(value, type):
        texts = {'_str', '_json', *(['_packed'] if isinstance(held.get('_packed'), dict) else [])}  # 4.2: of an AS path
        kept = {name: state(each) for name, each in held.items() if name not in texts}
        return value.__class__, kept, repr(int(value)) if isinstance(value, int) else ''
    return value.__class__, repr(value)
