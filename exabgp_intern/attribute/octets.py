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
    """Return what a session has agreed on that decides what octets mean, None for a session that is not ExaBGP's."""
    # AS_PATH and AGGREGATOR read the one, AIGP the other; tests/test_attributes.py watches that there is no third.
    asn4 = getattr(negotiated, 'asn4', None)
    return asn4 + 2 * bool(getattr(negotiated, 'aigp', None)) if type(asn4) is bool else None


def only_has(data: Any, attributes: bytes) -> bool:
    """Return whether the body of an UPDATE has these octets of attributes and no others, and withdraws nothing."""
    return type(data) is bytes and data.startswith(attributes, 4) and data[:4] == len(attributes).to_bytes(4, 'big')


def split(data: bytes, negotiated: Any, known: Container[bytes]) -> tuple[bytes, bytes | None] | None:
    """Return the key of the attributes in the body of an UPDATE, and the body without them.

    Where routes stand behind the attributes, and the key is not in `known`, the caller decodes the whole UPDATE anyway.
    The body is None then if the key comes for the first time, and empty if it was seen before.  Return None if the
    session is not one of ExaBGP's, or if the attributes had to be walked and their lengths are not exact.
    """
    session = agreed(negotiated)
    if session is None or type(data) is not bytes:
        return None
    shared, own = [bytes((session,))], []
    try:
        start = 2 + (data[0] << 8 | data[1])
        at = behind = start + 2
        end = at + (data[start] << 8 | data[start + 1])
        announced = data[end:]
        if announced:
            # Without an MP attribute this is the key.  Most sets of a table of the Internet come only once.
            key = shared[0] + data[at:end]
            if key not in known:
                if not sightings.seen_before(key):
                    return key, None
                if not _may_have_mp_nlri(key):
                    return key, b''
        while at < end:
            begin, code = at, data[at + 1]
            at += 4 + (data[at + 2] << 8 | data[at + 3]) if data[at] & EXTENDED_LENGTH else 3 + data[at + 2]
            if code in MP_NLRI:
                own.append(data[begin:at])
                shared.append(data[behind:begin])
                behind = at
            elif code == NEXT_HOP and announced:
                own.append(data[begin:at])  # ExaBGP gives it to the routes that stand behind the attributes
    except IndexError:
        return None
    if at != end or end > len(data):
        return None
    shared.append(data[behind:end])
    attributes = b''.join(own)
    return b''.join(shared), data[:start] + len(attributes).to_bytes(2, 'big') + attributes + announced
