"""What came before.

To share a value costs memory for an entry in a table.  A value that comes only once does not pay for it, so a value is
shared only from its second sighting on.
"""

from __future__ import annotations

from typing import Any

__all__ = ('seen_before',)

# One octet of the hash of a key, in the place that other octets of the hash choose.  A later key takes the place of an
# earlier one.  That only delays the sharing of a value.  One new key in 256 is taken for a known one.
_seen = bytearray(1 << 16)


def seen_before(key: Any) -> bool:
    """Return whether `key` was given to this function before, and not too many others since."""
    number = hash(key)
    place, octet = number & 0xFFFF, number >> 16 & 0xFF
    if _seen[place] == octet:
        return True
    _seen[place] = octet
    return False
