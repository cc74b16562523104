"""Reads ssh_config files line by line, as OpenSSH does (ssh_config(5)).

This module knows which lines count for a host: Include, Host, Match, "the first value wins".
What a value means is the business of :mod:`spyglass.remote.sshconfig`. It is our own reader
because paramiko's ignores Include and takes an unknown Match keyword for a match.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spyglass.errors import BadInput
from spyglass.remote.patterns import listed

MAX_DEPTH = 16  # OpenSSH's limit for Include within Include
CORRECT = "Correct that line of the SSH configuration."
_SEVERAL = frozenset({"identityfile", "certificatefile"})  # these add up; of all others the first wins
_LINE = re.compile(r"\s*([^\s=\"#]+)(?:\s*=\s*|\s+|$)(.*)", re.DOTALL)
_FOR_A_SHELL = frozenset({"proxycommand", "localcommand", "remotecommand", "knownhostscommand"})
_OLD_NAMES = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "identityfile2": "identityfile",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line that counts: the words behind its keyword, the raw text of them, and ``file:line``."""

    words: tuple[str, ...]
    text: str
    place: str

    @property
    def word(self) -> str:
        """The only value of the line; raises BadInput when there is none or more than one."""
        if len(self.words) != 1:
            what = "has too many values" if self.words else "has no value"
            raise BadInput(f"{self.place}: the line {what}", CORRECT)
        return self.words[0]


@dataclass(slots=True)
class Scan:
    """What has been gathered for one host so far.

    ``host`` is what Host lines are compared with; ``match`` decides a Match line. ``home`` is
    where ``~`` leads, ``final`` tells the second pass that ``Match final`` asks for.
    """

    host: str
    home: Path
    match: Callable[[Scan, tuple[str, ...], str], bool]
    final: bool = False
    wants_final: bool = False
    first: dict[str, Entry] = field(default_factory=dict)
    several: dict[str, list[Entry]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def take(self, keyword: str, entry: Entry) -> None:
        """Keep a line that counts, unless an earlier one has spoken already."""
        if keyword in _SEVERAL:
            kept = self.several.setdefault(keyword, [])
            if entry.words not in [one.words for one in kept]:
                kept.append(entry)
        else:
            self.first.setdefault(keyword, entry)

    def warn(self, text: str) -> None:
        """Note something that a person should know, once."""
        if text not in self.warnings:
            self.warnings.append(text)


def split_words(text: str) -> tuple[str, ...]:
    r"""Split as OpenSSH's argv_split: quotes, ``\`` before a quote, a blank or itself, ``#`` ends the line.

    Raises ValueError when a quote is left open.
    """
    words: list[str] = []
    rest = text.strip()
    while rest and not rest.startswith("#"):
        word, rest = _next_word(rest)
        words.append(word)
    return tuple(words)


def _next_word(text: str) -> tuple[str, str]:
    word, quote, position = "", "", 0
    while position < len(text):
        char, after = text[position], text[position + 1 : position + 2]
        if char == "\\" and after and (after in "'\"\\" or (after == " " and not quote)):
            word, position = word + after, position + 2
            continue
        if not quote and char in " \t":
            break
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        else:
            word += char
        position += 1
    if quote:
        raise ValueError(quote)
    return word, text[position:].strip()


def read_file(path: Path, scan: Scan, *, system: bool = False, trusted: bool = False) -> None:
    """Gather what one file says into ``scan``; a file that does not exist says nothing.

    ``system`` anchors relative Includes at the file's directory (as /etc/ssh), else at
    ``~/.ssh``. ``trusted`` leaves out the check that nobody else may write the file.
    Raises BadInput with file and line.
    """
    base = path.parent if system else scan.home / ".ssh"
    _read(path, scan, _Block(base, active=True, never=False, depth=0), trusted=trusted)


@dataclass(frozen=True, slots=True)
class _Block:
    """Where the reader is: the Include anchor, whether lines count now, whether they ever can."""

    base: Path
    active: bool
    never: bool
    depth: int


def _read(path: Path, scan: Scan, block: _Block, *, trusted: bool) -> None:
    active = block.active
    for keyword, entry in entries(path, trusted=trusted):
        if keyword == "host":
            active = not block.never and host_line(scan.host, entry.words)
        elif keyword == "match":
            active = not block.never and scan.match(scan, entry.words, entry.place)
        elif keyword == "include":
            inner = _Block(block.base, active, block.never or not active, block.depth + 1)
            for file in included(entry, block.base, scan.home, inner.depth):
                _read(file, scan, inner, trusted=False)
        elif active:
            scan.take(keyword, entry)


def host_line(host: str, patterns: tuple[str, ...]) -> bool:
    """Whether a ``Host`` line with these patterns is about the host."""
    return listed(host, patterns)


def entries(path: Path, *, trusted: bool = False) -> Iterator[tuple[str, Entry]]:
    """Yield (keyword in lower case, entry) of each line of the file."""
    for number, line in enumerate(_text(path, trusted=trusted).split("\n"), 1):
        found = _LINE.match(line.rstrip())
        if found:
            keyword, text = _OLD_NAMES.get(found[1].lower(), found[1].lower()), found[2]
            yield keyword, Entry(_words(keyword, text, f"{path}:{number}"), text, f"{path}:{number}")
        elif line.strip() and not line.strip().startswith("#"):
            raise BadInput(f"{path}:{number}: there is no keyword", CORRECT)


def _words(keyword: str, text: str, place: str) -> tuple[str, ...]:
    if keyword in _FOR_A_SHELL:
        return (text,) if text else ()
    try:
        return split_words(text)
    except ValueError:
        raise BadInput(f"{place}: a quotation mark is left open", CORRECT) from None


def included(entry: Entry, base: Path, home: Path, depth: int) -> list[Path]:
    """The existing files that an Include line names, in the order of reading."""
    if depth > MAX_DEPTH:
        raise BadInput(
            f"{entry.place}: more than {MAX_DEPTH} Includes within each other",
            "Look for a file that includes itself.",
        )
    found: list[Path] = []
    for word in entry.words:
        pattern = os.path.join(base, expand_home(word, home))  # noqa: PTH118 - a pattern, not a path
        found += [Path(name) for name in sorted(glob.glob(pattern)) if Path(name).is_file()]  # noqa: PTH207
    return found


def expand_home(text: str, home: Path) -> str:
    """Put the home directory for a leading ``~``, another person's for ``~name``."""
    if text == "~" or text.startswith("~/"):
        return str(home) + text[1:]
    return os.path.expanduser(text) if text.startswith("~") else text  # noqa: PTH111 - stays a str


def _text(path: Path, *, trusted: bool) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno())
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}", "Look at its owner and mode.") from error
    if not trusted and _others_may_write(mode):
        raise BadInput(
            f"Others may write {path}, so what it says may be theirs", f"Take that away: chmod go-w {path}"
        )
    return data.decode("utf-8", "surrogateescape")


def _others_may_write(status: os.stat_result) -> bool:
    """OpenSSH's rule; such a file could make us run another person's ProxyCommand."""
    if not hasattr(os, "getuid"):
        return False
    return status.st_uid not in (0, os.getuid()) or bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
