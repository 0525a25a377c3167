"""Flows that were searched for."""

# Source address and port of UDP flows to 10.96.0.80:7000 whose entries (kind
# 0x80: the first epoch of a slot) have the same 21 low bits of CRC-32C over
# the flow key, so that they lie in one bucket of a table of any size.
ONE_BUCKET = [("10.244.9.0", 32768), ("10.244.9.24", 48814), ("10.244.9.68", 35153),
              ("10.244.9.77", 58979), ("10.244.9.96", 44614), ("10.244.10.68", 39280),
              ("10.244.10.181", 44544)]

# Source address and port of a TCP flow to 10.96.0.80:80 whose entry once it is
# established (kind 6) lies in that bucket, and while half-open does not.
TCP_IN_BUCKET = ("10.244.9.19", 63626)

# Last number of the address 10.244.0.x and port of TCP flows to 10.96.0.80:80 whose
# keys in upstream's pinned_flows have the same 16 low bits of CRC-32C, so that they
# lie in one of its 65,536 buckets.
UPSTREAM_BUCKET = [(10, 57343), (11, 57189), (14, 52204), (15, 52086), (18, 45550), (19, 45428)]
