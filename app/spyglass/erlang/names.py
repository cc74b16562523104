"""Node names: ``name@host``, and which of the two kinds a name is.

Pure text; no network. The rule for the kind is the kernel's own (``dist_util``): a node
started with ``-name`` has a dot in the host part, one started with ``-sname`` has none.
"""

from __future__ import annotations

import re
from typing import Literal

from spyglass.errors import BadInput

# What kernel's erl_distribution allows in the name; the host may be an address, IPv6 too.
_NODE = re.compile(r"([A-Za-z0-9_\-.+~!$%&*=^'|]{1,255})@([A-Za-z0-9_\-.:%]{1,255})")
_LONGEST = 255  # characters of an atom


def valid(node: str) -> bool:
    """Whether this can be the full name of a node."""
    return len(node) <= _LONGEST and _NODE.fullmatch(node) is not None


def split(node: str) -> tuple[str, str]:
    """Return name and host. Raises BadInput if this is not a full node name."""
    match = _NODE.fullmatch(node) if len(node) <= _LONGEST else None
    if match is None:
        raise BadInput(f"{node!r} is not the full name of a node", "Write it as name@host.")
    return match[1], match[2]


def name_type(node: str) -> Literal["long", "short"]:
    """``long`` for names as ``-name`` makes them, ``short`` for those of ``-sname``."""
    return "long" if "." in split(node)[1] else "short"
