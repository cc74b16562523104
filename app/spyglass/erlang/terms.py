"""Erlang terms as people write them in files: what ``file:consult/1`` reads, as far as options need it.

Lists and tuples become tuples, strings and binaries ``str``, atoms :class:`Atom`, numbers ``int`` or
``float``; what options never hold (maps, funs, references) is refused. See "Data Types" in the Erlang
Reference Manual.
"""

from __future__ import annotations

import re
from typing import Any

from spyglass.errors import BadInput

_TOKEN = re.compile(
    r"""\s+ | %[^\n]* |
    (?P<string> "(?:[^"\\]|\\.)*") |
    (?P<quoted> '(?:[^'\\]|\\.)*') |
    (?P<number> [+-]?\d+(?:\.\d+(?:[eE][+-]?\d+)?)?) |
    (?P<atom> [a-z][\w@]*) |
    (?P<mark> <<|>>|[\[\]{},.])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "s": " ", "e": "\x1b", "0": "\0"}
_DEEP = 50


class Atom(str):
    """An atom; equal to the text of its name."""

    __slots__ = ()


def consult(text: str) -> tuple[Any, ...]:
    """The terms of a file, each ended by a full stop. Raises BadInput with the line."""
    return _Reading(text).all()


class _Reading:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._at = 0

    def _split(self) -> list[tuple[str, str, int]]:
        found, place = [], 0
        while place < len(self._text):
            token = _TOKEN.match(self._text, place)
            if token is None:
                raise self._bad(place, "something that is no term")
            if token.lastgroup:
                found.append((token.lastgroup, token[0], place))
            place = token.end()
        return found

    def _bad(self, place: int, what: str) -> BadInput:
        line = self._text.count("\n", 0, place) + 1
        return BadInput(f"Line {line} has {what}", "It should be a list of Erlang terms.", code="bad-term")

    def all(self) -> tuple[Any, ...]:
        """Every term."""
        terms = []
        while self._at < len(self._tokens):
            terms.append(self._term(0))
            self._expect(".")
        return tuple(terms)

    def _next(self) -> tuple[str, str, int]:
        if self._at >= len(self._tokens):
            raise self._bad(len(self._text), "no end of its term")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, mark: str) -> None:
        _, text, place = self._next()
        if text != mark:
            raise self._bad(place, f"{text[:20]!r} where {mark!r} should be")

    def _term(self, depth: int) -> Any:
        kind, text, place = self._next()
        if depth > _DEEP:
            raise self._bad(place, "too many brackets")
        match kind, text:
            case "string", _:
                return _unquoted(text)
            case "quoted", _:
                return Atom(_unquoted(text))
            case "atom", _:
                return Atom(text)
            case "number", _:
                return float(text) if "." in text else int(text)
            case _, "[" | "{" | "<<":
                return self._many({"[": "]", "{": "}", "<<": ">>"}[text], depth)
            case _:
                raise self._bad(place, f"{text!r} where a term should be")

    def _many(self, end: str, depth: int) -> Any:
        members: list[Any] = []
        while self._peek() != end:
            members.append(self._term(depth + 1))
            if self._peek() != end:
                self._expect(",")
        self._at += 1
        if end != ">>":
            return tuple(members)
        return "".join(part if isinstance(part, str) else chr(int(part) & 255) for part in members)

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text[1:-1], flags=re.DOTALL)
