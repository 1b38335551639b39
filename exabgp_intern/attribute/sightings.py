"""Remember which values were seen before.

Sharing a value costs memory for an entry in a table.  A value that occurs only once does not repay that memory, so a
value is shared only from its second sighting on.
"""

from __future__ import annotations

from typing import Any

from exabgp_intern.attribute.frozen import frozen
from exabgp_intern.table import Table

__all__ = ('Repeated', 'seen_before')

# For each key, one octet of its hash is stored at an index that two other octets of the hash give.  A later key may
# overwrite an earlier one, which only delays sharing.  Up to one new key in 256 is mistaken for a known one.
_seen = bytearray(1 << 16)


def seen_before(key: Any) -> bool:
    """Return whether `key` was given to this function before, and no other has taken its place since."""
    number = hash(key)
    place, octet = number & 0xFFFF, number >> 16 & 0xFF
    if _seen[place] == octet:
        return True
    _seen[place] = octet
    return False


class Repeated(Table):
    """The values that came at least twice.  The first object of each stays ExaBGP's own."""

    def keep_repeated(self, key: Any, made: Any) -> Any:
        """Return the shared object that replaces `made`, which ExaBGP has decoded, or `made` itself the first time."""
        # ExaBGP makes None of some attributes, for example of an empty AS path.
        return made if made is None or not seen_before(key) else self.keep(key, frozen(made))
