"""Puts values for the tokens of ssh_config: ``%h``, ``${NAME}``, ``~`` (ssh_config(5), TOKENS)."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from spyglass.errors import BadInput
from spyglass.remote.configfile import CORRECT, expand_home

_PERCENT = re.compile(r"%(.?)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{([^}]*)\}?")


def values(
    *, original: str, hostname: str, port: int, user: str, login: str, home: Path, alias: str, jump: str
) -> dict[str, str]:
    """What each letter stands for. ``original`` is the host as asked for, ``alias`` HostKeyAlias or empty."""
    local = socket.gethostname()
    # older OpenSSH leaves the jump host out of %C: the same, as long as there is none
    digest = hashlib.sha1(f"{local}{hostname}{port}{user}{jump}".encode(), usedforsecurity=False).hexdigest()
    return {
        "%": "%",
        "h": hostname,
        "n": original,
        "p": str(port),
        "r": user,
        "u": login,
        "d": str(home),
        "l": local,
        "L": local.partition(".")[0],
        "i": str(os.getuid()) if hasattr(os, "getuid") else "",
        "k": alias or original,
        "j": jump,
        "C": digest,
    }


def percent(text: str, known: Mapping[str, str], place: str) -> str:
    """Put the values of ``%`` tokens; raises BadInput with the place for a letter not among them."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise BadInput(f"{place}: the token {found[0]!r} is not known here", CORRECT)
        return known[found[1]]

    return _PERCENT.sub(value, text)


def variables(text: str, environ: Mapping[str, str], place: str) -> str:
    """Put the values of ``${NAME}``; raises BadInput with the place when there is no such variable."""

    def value(found: re.Match[str]) -> str:
        if not found[0].endswith("}") or found[1] not in environ:
            raise BadInput(f"{place}: the environment has no variable for {found[0]}", CORRECT)
        return environ[found[1]]

    return _VARIABLE.sub(value, text)


def path(text: str, known: Mapping[str, str], environ: Mapping[str, str], place: str) -> Path:
    """A file's name with all three kinds of tokens put in."""
    named = expand_home(text, Path(known["d"]))
    return Path(percent(variables(named, environ, place), known, place))
