"""What only a person can decide, as data.

A worker calls ``ask(question)`` and blocks; the window, the terminal or a test answers.
The answer's type stands in each question's docstring. Taking the question back (stop,
Cancel, Ctrl-C) raises :class:`spyglass.errors.Cancelled` in the worker; where nobody may
be asked, ``ask`` raises :class:`spyglass.errors.NeedsAnswer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class HostKey:
    """An unknown server. Answer: ``"once"`` or ``"remember"``.

    ``fingerprint`` is OpenSSH's ``SHA256:…``; ``file`` is where remembering appends.
    """

    host: str
    key_type: str
    fingerprint: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A password, a passphrase or a cookie. Answer: str, never stored by the asker.

    ``kind``: what it is; ``subject``: whose (``deploy@prod``, a key file, a node);
    ``again``: the last answer was wrong; ``prompt``: the server's own words, if any;
    ``echo``: may be shown while typing (a one-time code).
    """

    kind: Literal["password", "passphrase", "keyboard-interactive", "cookie"]
    subject: str
    prompt: str = ""
    echo: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Pick one. Answer: one of ``options`` (a str)."""

    title: str
    options: tuple[str, ...]
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """Yes or no before something with an effect elsewhere. Answer: bool."""

    title: str
    text: str
    action: str
    danger: bool = False


Question = HostKey | Secret | Choice | Consent
Ask = Callable[[Question], Any]
