"""What came before.

To share a value costs memory for an entry in a table.  A value that comes only once does not pay for it, so a value is
shared only from its second sighting on.
"""

from __future__ import annotations

from typing import Any

from exabgp_intern.attribute.frozen import frozen
from exabgp_intern.table import Table

__all__ = ('Repeated', 'seen_before')

# One octet of the hash of a key, in the place that other octets of the hash choose.  A later key takes the place of an
# earlier one.  That only delays the sharing of a value.  Up to one new key in 256 is taken for a known one.
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
        """Return what stands for `made`, which ExaBGP has decoded: the shared object, or `made` the first time."""
        # ExaBGP makes None of some attributes, for example of an empty AS path.
        return made if made is None or not seen_before(key) else self.keep(key, frozen(made))
