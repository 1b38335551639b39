"""The command `exabgp-intern report`: where routes come from, what is measured, and the table that shows it."""
