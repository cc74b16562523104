"""How texts that may hold paths and addresses are shown: pure functions, no Qt.

What is copied or run stays as it is: these are for reading only.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_AWAY = re.compile(r"(?<!\S)/(?:[^\s/]+/)+(?=[^\s/])")
_ADDRESS = re.compile(r"(?<!\S)[^\s/]{0,24}://\S{1,40}|(?<!\S)[\w.-]{1,24}/[\w.-]{1,24}(?=[\s,;.]|$)")
_JOINER = "\N{WORD JOINER}"


def homely(text: str) -> str:
    """Paths below the home directory as people write them, with a tilde; in quotation marks as they are.

    A shell makes nothing of a quoted tilde, and texts may hold commands.
    """
    pattern = _home(str(Path.home()))
    return pattern.sub("~", text) if pattern else text


@cache
def _home(home: str) -> re.Pattern[str] | None:
    plain = home.rstrip("/\\")
    return re.compile(rf"(?<![\w/.~'\"-]){re.escape(plain)}(?=[/\\]|[\s,;:)]|$)") if plain else None


def brief(text: str) -> str:
    """As :func:`homely`; of other absolute paths only the file's name."""
    return _AWAY.sub("", homely(text))


def unbroken(text: str) -> str:
    """The text with invisible joiners, so that no line ends inside an address (``tcp://prod1:2375``)."""
    return _ADDRESS.sub(lambda found: re.sub(r"(?<=[/:@.-])(?=.)", _JOINER, found[0]), text)
