"""What an UPDATE says of its routes: the next hop, and the set of path attributes."""
