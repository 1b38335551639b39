"""The octets of an UPDATE, RFC 4271 section 4.3, and what decides what they mean."""

from __future__ import annotations

import re
from typing import Any, Container

from exabgp.bgp.message.update.attribute import Attribute

from exabgp_intern.attribute import sightings

__all__ = ('EXTENDED_LENGTH', 'MP_NLRI', 'NEXT_HOP', 'agreed', 'only_has', 'split')

NEXT_HOP = int(Attribute.CODE.NEXT_HOP)
MP_NLRI = (int(Attribute.CODE.MP_REACH_NLRI), int(Attribute.CODE.MP_UNREACH_NLRI))
EXTENDED_LENGTH = int(Attribute.Flag.EXTENDED_LENGTH)

# Matches the flags (optional, not transitive) and the code of an MP attribute, and now and then other octets.
_may_have_mp_nlri = re.compile(b'[\x80-\xbf][\x0e\x0f]').search


def agreed(negotiated: Any) -> int | None:
    """Return the negotiated options that decide how attributes decode, as a number; None if they cannot be read."""
    # AS_PATH and AGGREGATOR depend on asn4, AIGP on aigp.
    # tests/attribute/test_received.py checks that there is no third.
    try:
        asn4, aigp = negotiated.asn4, negotiated.aigp
    except AttributeError:
        return None
    if asn4 is True:
        return 3 if aigp else 1
    if asn4 is False:
        return 2 if aigp else 0
    return None


def only_has(data: Any, attributes: Any) -> bool:
    """Return whether the body of an UPDATE has these octets of attributes and no others, and withdraws nothing."""
    return (
        type(data) is type(attributes) is bytes
        and data.startswith(attributes, 4)
        and data[:4] == len(attributes).to_bytes(4, 'big')
    )


def split(data: bytes, session: int | None, known: Container[bytes]) -> tuple[bytes, bytes | None] | None:
    """Return the key of the attributes in the body of an UPDATE, and the body without them.

    The body is empty if NLRIs follow the attributes and there is no MP attribute: ExaBGP can then take the set from its
    own cache.  The body is None if NLRIs follow the attributes, the key is not in `known`, and it is seen for the first
    time.

    Return None if `session` is None, if `data` is not bytes, or if the attributes had to be parsed one by one and their
    lengths are wrong.
    """
    if session is None or type(data) is not bytes:
        return None
    prefix = bytes((session,))
    try:
        start = 2 + (data[0] << 8 | data[1])
        at = behind = start + 2
        end = at + (data[start] << 8 | data[start + 1])
        announced = data[end:]
        if announced:
            # The key, unless there is an MP attribute.  Most sets of a table of the Internet come only once.
            key = prefix + data[at:end]
            if key not in known and not sightings.seen_before(key):
                return key, None
            if not _may_have_mp_nlri(key):
                return key, b''
        shared, own = [prefix], []
        while at < end:
            begin, code = at, data[at + 1]
            at += 4 + (data[at + 2] << 8 | data[at + 3]) if data[at] & EXTENDED_LENGTH else 3 + data[at + 2]
            if code in MP_NLRI:
                own.append(data[begin:at])
                shared.append(data[behind:begin])
                behind = at
            elif code == NEXT_HOP and announced:
                own.append(data[begin:at])  # ExaBGP gives it to the NLRIs that follow the attributes
    except IndexError:
        return None
    if at != end or end > len(data):
        return None
    shared.append(data[behind:end])
    attributes = b''.join(own)
    return b''.join(shared), data[:start] + len(attributes).to_bytes(2, 'big') + attributes + announced
