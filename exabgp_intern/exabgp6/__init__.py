"""What is for ExaBGP 6 only: qualifiers that are constructed from wire bytes, and NLRIs that hold them."""
