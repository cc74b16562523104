"""Which TLS certificate files a running node was started with.

A node with ``-proto_dist inet_tls`` gets them by ``-ssl_dist_optfile FILE``, a list of ``{server,
Options}`` and ``{client, Options}``, or one by one by ``-ssl_dist_opt client_certfile FILE`` ("Using
TLS for Erlang Distribution" in OTP's ssl User's Guide). Reading what stands in them is a step of its
own, which a person has to agree to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spyglass import log
from spyglass.erlang import terms
from spyglass.erlang.procfs import Beam
from spyglass.errors import BadInput, Missing

if TYPE_CHECKING:
    from spyglass.remote.tls import Credentials

_TLS = ("inet_tls", "inet6_tls")


@dataclass(frozen=True, slots=True)
class Named:
    """Where a node's certificates are told: an option file, or the options themselves."""

    option_file: str = ""
    options: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.option_file or self.options)


def speaks_tls(beam: Beam | None) -> bool:
    """Whether the process was started to speak TLS with other nodes."""
    return beam is not None and beam.option("-proto_dist") in _TLS


def named(beam: Beam | None) -> Named:
    """What the command line of the process says."""
    if beam is None:
        return Named()
    return Named(beam.option("-ssl_dist_optfile") or "", tuple(_pairs(beam.argv)))


def _pairs(argv: Iterable[str]) -> Iterable[tuple[str, str]]:
    """``-ssl_dist_opt`` takes any number of name and value."""
    words, inside, name = list(argv), False, ""
    for word in words:
        if word.startswith("-"):
            inside, name = word == "-ssl_dist_opt", ""
        elif inside and not name:
            name = word
        elif inside:
            yield name, word
            name = ""


def read(where: Named, file: Callable[[str], bytes | None]) -> Credentials:
    """The certificate of the node itself, as a client shows it; the server's where it names no other.

    ``file`` gives what stands in a file there, or None. Raises Missing for a file that can't be read
    and BadInput for one that can't be understood. What is returned holds a private key.
    """
    from spyglass.remote.tls import Credentials  # noqa: PLC0415 - few nodes speak TLS

    client, server = _given(where.options, "client_"), _given(where.options, "server_")
    if where.option_file:
        sections = _option_file(_text(where.option_file, file))
        client, server = client or sections[0], server or sections[1]
    own = client if client.get("certfile") else server
    if not own.get("certfile"):
        raise Missing(
            "The node's TLS options name no certificate",
            "Name one for the profile: --tls-certificate FILE --tls-key FILE.",
            code="no-certificate",
        )
    return Credentials(
        authorities=_text(client["cacertfile"], file) if _verifies(client) else "",
        certificate=_text(own["certfile"], file),
        key=log.forget(_text(own["keyfile"], file)) if own.get("keyfile") else "",
        passphrase=_passphrase(own),
    )


def _given(options: Iterable[tuple[str, str]], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in options if name.startswith(prefix)}


def _verifies(client: Mapping[str, str]) -> bool:
    return client.get("verify") == "verify_peer" and bool(client.get("cacertfile"))


def _passphrase(own: Mapping[str, str]) -> Callable[[], str] | None:
    password = own.get("password")
    if not password:
        return None
    log.forget(password)
    return lambda: password


def _option_file(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """The client's and the server's options."""
    read = terms.consult(text)
    sections = dict(_tuples(read[0] if read else ()))
    client, server = (dict(_tuples(sections.get(name, ()))) for name in ("client", "server"))
    return _texts(client), _texts(server)


def _texts(options: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in options.items() if isinstance(value, str)}


def _tuples(value: Any) -> Iterable[tuple[str, Any]]:
    return (
        (str(one[0]), one[1])
        for one in (value if isinstance(value, tuple) else ())
        if isinstance(one, tuple) and len(one) == 2
    )


def _text(path: str, file: Callable[[str], bytes | None]) -> str:
    data = file(path)
    if data is None:
        raise Missing(
            f"{path} can't be read there",
            "It belongs to another account, or is not there any more. Name a certificate of your own: "
            "--tls-certificate FILE --tls-key FILE.",
            code="no-certificate",
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadInput(f"{path} is no text", "PEM files are wanted.", code="bad-certificate") from None
