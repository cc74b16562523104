"""OpenSSH's patterns: ``*`` any text, ``?`` one character, ``!`` not (ssh_config(5), PATTERNS).

``fnmatch`` will not do: it gives ``[`` a meaning, and an IPv6 host is written in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in re.sub(r"\*+", "*", pattern))
    return re.compile("".join(parts), re.DOTALL)


def matches(text: str, pattern: str) -> bool:
    """Whether the whole text is what the pattern (without ``!``) describes."""
    return _compiled(pattern).fullmatch(text) is not None


def listed(text: str, patterns: Iterable[str]) -> bool:
    """Whether one pattern describes the text and no negated one does: a ``!`` always wins."""
    found = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if matches(text, pattern[1:]):
                return False
        elif matches(text, pattern):
            found = True
    return found
