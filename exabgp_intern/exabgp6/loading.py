"""How ExaBGP 6 agrees with a peer, decodes an UPDATE, stores its routes, and does what an API command says.

exabgp_intern/report/decoding.py has the first of these for 4.2 and 5.0, and exabgp_intern/report/commands.py the last.
"""

from __future__ import annotations

import asyncio
from typing import Any

from exabgp.bgp.message import Open, Update
from exabgp.bgp.message.direction import Direction
from exabgp.bgp.message.open import ASN, HoldTime, RouterID, Version
from exabgp.bgp.message.open.capability import AddPath, Capabilities, Capability, Negotiated
from exabgp.bgp.message.open.capability.asn4 import ASN4
from exabgp.bgp.message.open.capability.mp import MultiProtocol
from exabgp.bgp.message.update.eor import EOR
from exabgp.bgp.neighbor import Neighbor
from exabgp.environment import getenv
from exabgp.protocol.family import AFI, SAFI
from exabgp.reactor.api.processes import Processes
from exabgp.rib.route import Route

__all__ = (
    'Answers',
    'decoded',
    'family',
    'negotiated_session',
    'negotiated_with',
    'obey',
    'open_of',
    'schedule',
    'store',
)

RUNNER = asyncio.Runner()


def family(afi: int, safi: int) -> tuple[Any, Any]:
    return AFI.from_int(afi), SAFI.from_int(safi)


def open_of(body: bytes) -> Any:
    return Open.unpack_message(body, negotiated_with(Neighbor()))


def negotiated_with(neighbor: Any) -> Any:
    return Negotiated(neighbor, Direction.IN)


def decoded(body: bytes, negotiated: Any) -> tuple[Any, list[tuple[Any, bool]]] | None:
    """Return the attributes of an UPDATE and its routes, each with whether it is withdrawn, or None for End-of-RIB.

    Raises what ExaBGP raises.
    """
    update: Any = Update.unpack_message(body, negotiated)
    if isinstance(update, EOR):
        return None
    parsed = update.data
    announced = [(Route(each.nlri, parsed.attributes, nexthop=each.nexthop), False) for each in parsed.announces]
    return parsed.attributes, announced + [(Route(nlri, parsed.attributes), True) for nlri in parsed.withdraws]


def store(rib: Any, route: Any, withdrawn: bool) -> None:
    """Store a route in an adj-rib-in, or take it away."""
    if withdrawn:
        rib.update_cache_withdraw(route.nlri)
    else:
        rib.update_cache(route)


def negotiated_session(neighbor: Any, families: Any, addpath: Any, asn4: bool) -> Any:
    """Return what a session has agreed on if both ends speak the same."""
    capabilities: Any = Capabilities()
    capabilities[Capability.CODE.MULTIPROTOCOL] = MultiProtocol()
    capabilities[Capability.CODE.MULTIPROTOCOL].extend(families)
    capabilities[Capability.CODE.ADD_PATH] = AddPath(addpath, 3)  # both ways, so that it shows in the packed form
    if asn4:
        capabilities[Capability.CODE.FOUR_BYTES_ASN] = ASN4(65000)
    message = Open.make_open(Version(4), ASN(65000), HoldTime(180), RouterID('192.0.2.1'), capabilities)
    negotiated = negotiated_with(neighbor)
    negotiated.sent(message)
    negotiated.received(message)
    return negotiated


class Answers(Processes):
    """Answers nothing: no process has sent the commands.  It only notes that a command was refused."""

    refused = False

    async def answer_done(self, service: str, force: bool = False) -> None:
        pass

    async def answer_error(self, service: str, message: str = '') -> None:
        self.refused = True

    def answer_done_sync(self, service: str, force: bool = False) -> None:
        pass

    def answer_error_sync(self, service: str, message: str = '') -> None:
        self.refused = True


def obey(reactor: Any, command: str, selected: bool) -> None:
    """Do what ExaBGP does with a `command` of a process: of its API 6 if it starts with `peer`, else of its API 4.

    If `selected`, the command is for the neighbors that it names, otherwise for every neighbor.
    """
    words = command.split()
    six = words[0] == 'peer'
    getenv().api.version = 6 if six else 4
    if not selected:
        start = next(at for at, word in enumerate(words) if word in ('announce', 'withdraw'))
        command = ' '.join([*(['peer', '*'] if six else []), *words[start:]])
    reactor.api.process(reactor, '', command)


def schedule(service: str, command: str, callback: Any) -> None:
    """Do at once what ExaBGP's reactor does between its other work."""
    RUNNER.run(callback)
