"""One running app for each person, and how others talk to it.

A lock decides who is the one (:mod:`claim`); a unix socket beside it carries one JSON line a
request (:mod:`wire`, :mod:`server`, :mod:`client`). Nothing here imports a toolkit: a second
start hands over and is gone before one would have been loaded.
"""
