"""Loads routes into ExaBGP 6 as its reactor and its API do it: see exabgp_intern/report/loading.py."""

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
from exabgp.environment import getenv
from exabgp.reactor.api.processes import Processes
from exabgp.rib.route import Route

__all__ = ('Answers', 'negotiated_session', 'obey', 'received', 'schedule')

RUNNER = asyncio.Runner()


def received(updates: Any, sessions: Any, see: Any) -> tuple[int, int]:
    """Decode UPDATEs and store their routes; return how many NLRIs there were, and how many UPDATEs ExaBGP refused."""
    decoded = refused = 0
    for session, body in updates:
        negotiated, rib = sessions[session]
        try:
            update: Any = Update.unpack_message(body, negotiated)
        except Exception:  # any of them makes the reactor notify the peer
            refused += 1
            continue
        if isinstance(update, EOR):
            continue
        parsed = update.data
        for routed in parsed.announces:
            route = Route(routed.nlri, parsed.attributes, nexthop=routed.nexthop)
            rib.update_cache(route)
            if see:
                see(route, negotiated)
        for nlri in parsed.withdraws:
            rib.update_cache_withdraw(nlri)
            if see:
                see(Route(nlri, parsed.attributes), negotiated)
        decoded += len(parsed.announces) + len(parsed.withdraws)
    return decoded, refused


def negotiated_session(neighbor: Any, families: Any, addpath: Any, asn4: bool) -> Any:
    """Return what a session has agreed on if both ends speak the same."""
    capabilities: Any = Capabilities()
    capabilities[Capability.CODE.MULTIPROTOCOL] = MultiProtocol()
    capabilities[Capability.CODE.MULTIPROTOCOL].extend(families)
    capabilities[Capability.CODE.ADD_PATH] = AddPath(addpath, 3)  # both ways, so that it shows in the packed form
    if asn4:
        capabilities[Capability.CODE.FOUR_BYTES_ASN] = ASN4(65000)
    message = Open.make_open(Version(4), ASN(65000), HoldTime(180), RouterID('192.0.2.1'), capabilities)
    negotiated = Negotiated(neighbor, Direction.IN)
    negotiated.sent(message)
    negotiated.received(message)
    return negotiated


class Answers(Processes):
    """What answers the process that has sent a command.  There is none here."""

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

    If not `selected`, every neighbor is meant, and none that the command selects.
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
