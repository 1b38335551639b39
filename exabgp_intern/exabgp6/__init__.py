"""What is for ExaBGP 6 only.

Qualifiers are constructed from wire bytes (qualifiers.py), and NLRIs hold them (nlris.py).  The attributes of received
and announced routes have other classes and come another way (sets.py, parts.py, received.py, nexthops.py,
announced.py).  loading.py is for the report.
"""
