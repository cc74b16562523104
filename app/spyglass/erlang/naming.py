"""Where a DNS name leads, as seen from a place: its own tools are asked, else its name servers.

The name servers are dialled through the hop (``dns``), which also serves a place that has a
shell but no tool at all. A server on loopback inside a container (Docker's 127.0.0.11) can't be
dialled from without: :class:`NoTool` says so, and whoever knows the engine's networks goes on.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import secrets
from collections.abc import Iterable

from spyglass import asset
from spyglass.erlang import dns
from spyglass.errors import Failure, Lost
from spyglass.remote.base import Remote

_SECONDS = 8.0
_DIAL = 2.0
_HINT = "Name a container that can be asked, with --ask-in."
_MOST = 65536  # bytes of the tools' answers
_HAS = re.compile(r"has (?:IPv6 )?address (\S+)")
_ADDRESS = re.compile(r"^Address(?: \d+)?:\s*([0-9A-Fa-f.:]+)", re.MULTILINE)


class NoTool(Failure):
    """Nothing at the place can resolve a name, and its name server is out of reach."""


def addresses(place: Remote, name: str) -> frozenset[str]:
    """The addresses of ``name`` as ``place`` sees it; none when it has none.

    ``name`` is one that :func:`spyglass.selector.check` let pass. Raises Lost, NoTool, or another
    Failure when nobody can be asked.
    """
    mark = f"=={secrets.token_hex(12)}"
    lines = f"mark={mark}\nname={name}\n".encode()
    output = place.run(["sh", "-s"], lines + _script(), _SECONDS)
    tool, answer, config = read(output.stdout[:_MOST].decode("utf-8", "replace"), mark)
    if tool not in {"", "none"}:
        return answer
    if not tool:
        raise NoTool(f"{place.describe()} has no shell that resolves {name}", _HINT)
    return frozenset(_ask_servers(place, name, config))


@functools.cache
def _script() -> bytes:
    return asset("discovery/resolve.sh").read_bytes()


def read(text: str, mark: str) -> tuple[str, frozenset[str], tuple[str, ...]]:
    """Tool, addresses that it told, and lines of resolv.conf, out of what the script wrote."""
    parts = dict(piece.partition("\n")[::2] for piece in text.split(f"\n{mark} ")[1:])
    tool = next((name for name in parts if name not in {"config", "end"}), "")
    config = tuple(line for line in parts.get("config", "").splitlines() if line)
    return tool, frozenset(_told(tool, parts.get(tool, ""))), config


def _told(tool: str, text: str) -> Iterable[str]:
    """The addresses in a tool's words; anything else is passed over."""
    match tool:
        case "getent":
            words = [line.split()[0] for line in text.splitlines() if line.strip()]
        case "nslookup":  # the server's own address stands before the name
            words = _ADDRESS.findall(text[text.find("\nName:") :]) if "\nName:" in text else []
        case "host":
            words = _HAS.findall(text)
        case _:
            words = text.split()
    return filter(None, map(plain, words))


def plain(text: str) -> str:
    """The address in its one spelling; empty when it is none that could be dialled."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return "" if address.is_unspecified or address.is_multicast else str(mapped or address)


def _ask_servers(place: Remote, name: str, config: tuple[str, ...]) -> set[str]:
    """By the place's resolv.conf, over TCP, with each of its search domains."""
    servers = [line.split()[1] for line in config if line.startswith("nameserver ") and len(line.split()) > 1]
    failure: Failure = NoTool(f"{place.describe()} has nothing that resolves {name}", _HINT)
    for server in servers[:3]:
        try:
            return _ask_server(place, server, _candidates(name, config))
        except Lost:
            raise
        except Failure as fault:
            failure = fault
    raise NoTool(f"Nobody tells {place.describe()} where {name} is: {failure.title}", _HINT)


def _candidates(name: str, config: tuple[str, ...]) -> list[str]:
    domains = [d for line in config if not line.startswith("nameserver") for d in line.split()[1:]]
    spelt = [f"{name}.{domain}" for domain in domains[:6]] if not name.endswith(".") else []
    return [name, *spelt] if "." in name else [*spelt, name]


def _ask_server(place: Remote, server: str, names: list[str]) -> set[str]:
    for name in names:
        found: set[str] = set()
        for kind in (dns.A, dns.AAAA):
            stream = place.dial(server, dns.PORT, _DIAL)
            try:
                number = secrets.randbelow(65536)
                found |= set(dns.ask(stream, name, kind, number=number, seconds=_DIAL))
            finally:
                stream.close()
        if found:
            return found
    return set()
