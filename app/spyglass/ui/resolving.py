"""What ssh_config makes of a hop, in words: shown beside the fields of the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spyglass.errors import Failure
from spyglass.store import paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spyglass.profile import SSHHop
    from spyglass.remote.sshconfig import Settings


def aliases() -> list[str]:
    """The hosts that ssh_config names; none where it can't be read. Reads files: not for the GUI thread."""
    from spyglass.remote import sshconfig  # noqa: PLC0415 - only when an editor is open

    try:
        return sshconfig.hosts(paths.current().ssh_config)
    except Failure:
        return []  # the doctor tells why


def resolved(hops: Sequence[SSHHop | None]) -> list[tuple[str, bool]]:
    """For each hop what it comes to, and whether that is a fault; empty where there is nothing to tell."""
    return [_one(hop, first=number == 0) for number, hop in enumerate(hops)]


def _one(hop: SSHHop | None, *, first: bool) -> tuple[str, bool]:
    from spyglass.remote import sshconfig  # noqa: PLC0415 - as above

    if hop is None or not hop.host or hop.host.startswith("-"):
        return "", False
    try:
        return said(sshconfig.resolve(hop, config=paths.current().ssh_config), first=first), False
    except Failure as fault:
        return f"{fault.title}. {fault.hint}".strip(), True


def said(settings: Settings, *, first: bool) -> str:
    """The settings in one line. A later hop's jump hosts do not count: the hops before it are its way."""
    parts = [f"→ {settings.hostname}", f"user {settings.user}", f"port {settings.port}"]
    if settings.explicit_identities and settings.identity_files:
        parts.append(f"key {settings.identity_files[0].name}")
    if first and settings.proxy_jump:
        parts.append("through " + ", ".join(hop.label for hop in settings.proxy_jump))
    if first and settings.proxy_command:
        parts.append("by ProxyCommand")
    return ", ".join(parts)
