"""What only a person can decide, as data.

A worker calls ``ask(question)`` and blocks; the window, the terminal or a test answers.
The answer's type stands in each question's docstring. Taking the question back (stop,
Cancel, Ctrl-C) raises :class:`spyglass.errors.Cancelled` in the worker; where nobody may
be asked, ``ask`` raises :class:`spyglass.errors.NeedsAnswer`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Keep = Literal["keyring", "run", "ask"]
"""Where a secret may stay: in the system's keyring; in memory until the program ends; in memory
until the connection ends, so that it is asked for each time one connects."""

_PASSWORD = re.compile(r"\bpassword\b", re.IGNORECASE)
_PASSING = re.compile(r"\b(new|retype|repeat|again|one.?time|code|token|otp)\b", re.IGNORECASE)


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
    """A password, a passphrase or a cookie. Answer: str, or :class:`Typed` with where to keep it.

    ``kind``: what it is; ``subject``: whose (``deploy@prod``, a key file, a node);
    ``again``: the last answer was wrong; ``prompt``: the server's own words, if any;
    ``echo``: may be shown while typing (a one-time code).

    ``keep``: the places that the person may choose from (none: there is nothing to choose);
    ``usual``: what was chosen last; ``why_not``: a sentence that says why the keyring is not
    among them. Who answers never stores anything: see :mod:`spyglass.keeping`.
    """

    kind: Literal["password", "passphrase", "keyboard-interactive", "cookie"]
    subject: str
    prompt: str = ""
    echo: bool = False
    again: bool = False
    keep: tuple[Keep, ...] = ()
    usual: Keep = "run"
    why_not: str = ""

    @property
    def lasting(self) -> str:
        """The kind under which the answer may be kept; empty for what is of use only once.

        PAM asks for the account's password by keyboard-interactive too; a code is not that,
        and a new password is not the present one.
        """
        if self.kind != "keyboard-interactive":
            return self.kind
        password = not self.echo and _PASSWORD.search(self.prompt) and not _PASSING.search(self.prompt)
        return "password" if password else ""


@dataclass(frozen=True, slots=True)
class Typed:
    """A secret with the person's choice where to keep it. A plain str means ``run``."""

    value: str = field(repr=False)
    keep: Keep = "run"


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
