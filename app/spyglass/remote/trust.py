"""Is this the server that it should be? The host key's check, and what people are told and asked about it."""

from __future__ import annotations

import logging
import shlex
from typing import TYPE_CHECKING

from spyglass.errors import BadHostKey, WrongKey
from spyglass.questions import Ask, HostKey
from spyglass.remote import hostkeys

if TYPE_CHECKING:
    from spyglass.remote.sshconfig import Settings

_log = logging.getLogger("spyglass")


def check_host_key(settings: Settings, key_type: str, blob: bytes, ask: Ask) -> str:
    """Return how the key is known (``known``, ``once``, ``remembered``), or raise BadHostKey.

    ``blob`` is the key on the wire. An unknown key is a question for a person; a changed or
    revoked one never is.
    """
    host, port = settings.known_as
    warnings: list[str] = []
    verdict = hostkeys.check(settings.known_hosts, host, port, key_type, blob, warnings=warnings)
    for warning in warnings:
        _log.warning("%s", warning)
    match verdict:
        case hostkeys.Known():
            return "known"
        case hostkeys.Changed():
            raise _changed(settings, key_type, verdict)
        case hostkeys.Revoked():
            raise _revoked(settings, key_type, verdict)
        case hostkeys.Unknown():
            return _unknown(settings, key_type, blob, verdict, ask)


def _unknown(settings: Settings, key_type: str, blob: bytes, verdict: hostkeys.Unknown, ask: Ask) -> str:
    host, port = settings.known_as
    name = hostkeys.entry_name(host, port)
    if settings.strict_host_keys:
        raise BadHostKey(
            f"The host key of {name} is unknown",
            f"StrictHostKeyChecking is on, so nobody was asked. Its fingerprint is {verdict.fingerprint}; "
            "add it to known_hosts once you know that it is right.",
        )
    file = settings.known_hosts[0] if settings.known_hosts else None
    shown = f"{name} ({verdict.remark})" if verdict.remark else name
    answer = ask(HostKey(shown, key_type, verdict.fingerprint, settings.short(file) if file else ""))
    if answer == "once":
        return "once"
    if answer != "remember":
        raise BadHostKey(f"The host key of {name} was not accepted", "Connect again to be asked again.")
    if file is not None:
        hostkeys.remember(file, host, port, key_type, blob, hashed=settings.hash_known_hosts)
    return "remembered"


def _typed(path: str) -> str:
    """A path for a shell, which makes a directory of an unquoted tilde only."""
    return f"~/{shlex.quote(path[2:])}" if path.startswith("~/") else shlex.quote(path)


def _changed(settings: Settings, key_type: str, verdict: hostkeys.Changed) -> BadHostKey:
    name, place = hostkeys.entry_name(*settings.known_as), f"{settings.short(verdict.file)}:{verdict.line}"
    remedy = f"ssh-keygen -R {shlex.quote(name)} -f {_typed(settings.short(verdict.file))}"
    return BadHostKey(
        f"The host key of {name} has changed",
        "Either the server was set up anew, or somebody stands in between: find out which.\n"
        f"  known: {verdict.old} ({place})\n"
        f"  now:   {verdict.new}\n"
        f"If the new key is right, remove the old one: {remedy}",
        code="host-key-changed",
        key=WrongKey(name, place, verdict.new, key_type, verdict.old, verdict.old_type, remedy),
    )


def _revoked(settings: Settings, key_type: str, verdict: hostkeys.Revoked) -> BadHostKey:
    name, place = hostkeys.entry_name(*settings.known_as), f"{settings.short(verdict.file)}:{verdict.line}"
    return BadHostKey(
        f"The host key of {name} is revoked",
        f"{place} marks {verdict.fingerprint} as not to be trusted any more. "
        "Ask whoever runs the server for its new key.",
        code="host-key-revoked",
        key=WrongKey(name, place, verdict.fingerprint, key_type),
    )
