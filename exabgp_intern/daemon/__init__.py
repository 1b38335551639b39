"""The tools for a daemon: `exabgp-intern run`, the statistics file, `exabgp-intern doctor`."""
