"""What the words behind the keywords of ssh_config(5) mean: ports, times, switches, jump hosts."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

from spyglass.errors import BadInput
from spyglass.profile import SSHHop
from spyglass.remote.configfile import CORRECT, Scan

CONNECT_TIMEOUT = 15.0  # seconds; OpenSSH waits as long as the kernel does, about two minutes
METHODS = ("publickey", "keyboard-interactive", "password")
_HOP = re.compile(r"^(?:(?P<user>.+)@)?(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:]+))(?::(?P<port>\d+))?/?$")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def jumps(text: str, place: str) -> tuple[SSHHop, ...]:
    """The hosts of a ProxyJump line, in the order of travel."""
    return () if text.lower() == "none" else tuple(jump(part, place) for part in text.split(","))


def jump(text: str, place: str) -> SSHHop:
    """One jump host: ``host``, ``user@host:port`` or ``ssh://user@host:port``."""
    found = _HOP.match(text.removeprefix("ssh://"))
    host = (found["v6"] or found["host"]) if found else ""
    if not found or not host or host.startswith("-") or (found["user"] or "").startswith("-"):
        raise BadInput(f"{place}: {text!r} is not a jump host", "Write it as user@host:port.")
    number = port(found["port"], place) if found["port"] else 0
    return SSHHop(host=host, user=found["user"] or "", port=number)


def lower(host: str) -> str:
    """A host name as it is looked up and compared; IPv6 addresses stay as they are written."""
    return host if ":" in host else host.lower()


def word(scan: Scan, keyword: str) -> str:
    """The value of a keyword, or empty."""
    entry = scan.first.get(keyword)
    return entry.word if entry else ""


def port(text: str, place: str) -> int:
    """A port by number or by its name in the services file."""
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    try:
        return socket.getservbyname(text, "tcp")
    except (OSError, UnicodeError):
        raise BadInput(f"{place}: {text!r} is not a port", "Ports go from 1 to 65535.") from None


def flag(scan: Scan, keyword: str, *, default: bool) -> bool:
    """A yes or no."""
    entry = scan.first.get(keyword)
    if entry is None:
        return default
    if entry.word.lower() not in ("yes", "true", "no", "false"):
        raise BadInput(f"{entry.place}: {entry.word!r} is neither yes nor no", CORRECT)
    return entry.word.lower() in ("yes", "true")


def strict(scan: Scan) -> bool:
    """Whether unknown host keys are refused without asking. What would weaken the check is only noted."""
    entry = scan.first.get("stricthostkeychecking")
    value = entry.word.lower() if entry else "ask"
    if entry and value in ("no", "off", "false", "accept-new"):
        scan.warn(
            f"{entry.place}: StrictHostKeyChecking {value} is not followed, unknown keys are asked about"
        )
    return value in ("yes", "true")


def methods(scan: Scan) -> tuple[str, ...]:
    """The ways to log in that the configuration leaves open, in its order of preference."""
    given = word(scan, "preferredauthentications")
    order = [name.strip().lower() for name in given.split(",")] if given else list(METHODS)
    switches: dict[str, Callable[[], bool]] = {
        "publickey": lambda: word(scan, "pubkeyauthentication").lower() not in ("no", "false"),
        "password": lambda: flag(scan, "passwordauthentication", default=True),
        "keyboard-interactive": lambda: flag(scan, "kbdinteractiveauthentication", default=True),
    }
    return tuple(name for name in dict.fromkeys(order) if name in METHODS and switches[name]())


def timeout(scan: Scan) -> float:
    """ConnectTimeout in seconds; OpenSSH's time format (sshd_config(5)): ``10``, ``1m30s``."""
    entry = scan.first.get("connecttimeout")
    if entry is None or entry.word.lower() == "none":
        return CONNECT_TIMEOUT
    parts = re.findall(r"(\d+)([smhdw]?)", entry.word.lower())
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != entry.word.lower() or not parts:
        raise BadInput(f"{entry.place}: {entry.word!r} is not a time", CORRECT)
    return float(seconds) or CONNECT_TIMEOUT
