"""What is personal in a capture is replaced, before anybody looks at it. Floor 3, below everything that analyses.

In: captures. Out: the same captures, byte for byte as long, in which numbers, names, hosts, addresses, identifiers,
credentials, bodies and media are replaced consistently (:mod:`.door`). Analysis, reports and extracts are made from
those, so they need no care of their own.
"""
