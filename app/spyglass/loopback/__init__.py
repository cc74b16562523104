"""A node's own address on this computer, so that any tool reaches the node by its true name.

Addresses of 127/8 are there already on Linux. Others have to be put on the loopback interface,
which takes root: a helper of a few hundred lines, installed apart from us and owned by root,
does that one thing (``packaging/linux/spyglass-loopback``), and only while we hold its pipe.
"""
