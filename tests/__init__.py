"""The tests, laid out as the package is; `scripts/` has those of the programs beside it."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
GOBGP = ROOT / 'tests' / 'data' / 'gobgp.bgp'
"""Messages that a GoBGP speaker sent."""
