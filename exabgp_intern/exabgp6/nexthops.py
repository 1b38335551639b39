"""Next hops of ExaBGP 6: one object for all routes that have the same.

ExaBGP makes an IP address of its own for each UPDATE, or for each route.
"""

from __future__ import annotations

from typing import Any

from exabgp.protocol.ip import IPv4, IPv6

from exabgp_intern.attribute.frozen import frozen
from exabgp_intern.table import Table

__all__ = ('TABLE', 'shared_next_hop')

TABLE = Table()


def shared_next_hop(own: Any) -> Any:
    """Return the shared object for an address, or `own` if it is none, next-hop self, or shared already."""
    if type(own) not in (IPv4, IPv6) or type(own._packed) is not bytes:
        return own
    shared = TABLE.find(own._packed)
    return TABLE.keep(own._packed, frozen(own)) if shared is None else shared
