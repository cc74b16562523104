"""A host of which only its container engine's API can be reached."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from spyglass.errors import Denied, Failure, Lost
from spyglass.questions import Ask, Consent
from spyglass.remote.api import LOOPBACK, Api
from spyglass.remote.shellless import Shellless

if TYPE_CHECKING:
    import ssl

    from spyglass.profile import EngineHop
    from spyglass.remote.base import Relay, Remote, Stream


class EngineHost(Shellless):
    """The host of an engine's API."""

    def __init__(self, inner: Remote, hop: EngineHop, api: Api, version: str = "") -> None:
        super().__init__(inner, hop.label, hop.host, api)
        kind = " ".join(filter(None, (api.name.capitalize(), version)))
        self.auth_method = f"{kind}, {'TLS' if hop.tls else 'no TLS'}"  # an SSH server tells it likewise

    def __repr__(self) -> str:
        return f"<EngineHost {self.label}>"

    @classmethod
    def open(cls, hop: EngineHop, inner: Remote, ask: Ask) -> EngineHost:
        """See that an engine answers there.

        Raises Denied when a person does not want it without TLS, NeedsAnswer when nobody may be
        asked, BadInput for certificates that can't be used, Unreachable and what the engine says.
        """
        if not hop.tls and not hop.plain:
            _ask_for_plain(hop, ask)
        context = _context(hop) if hop.tls else None

        def dial(seconds: float) -> Stream:
            stream = inner.dial(hop.host, hop.port, min(seconds, 5.0))
            if context is None:
                return stream
            from spyglass.remote.tls import TLSStream  # noqa: PLC0415 - rare, and ssl takes a while

            try:
                return TLSStream(stream, context, hop.host)
            except (Failure, OSError) as exc:
                stream.close()
                raise _named(exc, hop) from exc

        api = Api(dial, hop.label, hop.host)
        version = api.greet()
        return cls(inner, hop, api, version)

    def dial(self, host: str, port: int, timeout: float = 5.0) -> Stream:
        """Connect to ``host:port``; loopback is the engine's host as it is seen from here."""
        return self.inner.dial(self.host if host in LOOPBACK else host, port, timeout)

    def relay(self, listener: socket.socket, host: str, port: int) -> Relay:
        """Carry what the listener accepts to ``host:port``, as :meth:`dial` understands it."""
        return self.inner.relay(listener, self.host if host in LOOPBACK else host, port)


def _ask_for_plain(hop: EngineHop, ask: Ask) -> None:
    question = Consent(
        f"{hop.label} is an engine's API without TLS",
        "Whoever reaches that port is root on its host, and whoever is on the way can read and change "
        "everything, cookies too. Better: reach the host by SSH, or let the engine ask for certificates.",
        "use it without TLS (in a profile: `plain = true`)",
        danger=True,
    )
    if not ask(question):
        raise Denied(
            f"{hop.label} is not used without TLS", "Reach the host by SSH, or use TLS.", code="plain"
        )


def _context(hop: EngineHop) -> ssl.SSLContext:
    """What we show and believe; without an authority of the hop's own, those of this computer."""
    import ssl  # noqa: PLC0415 - rare, and it takes a while

    from spyglass.remote.tls import Credentials, pem  # noqa: PLC0415

    files = (hop.ca, hop.certificate, hop.key)
    ca, certificate, key = (pem(path, "Name the engine's certificates again.") for path in files)
    made = Credentials(ca, certificate, key).context(check_hostname=True)
    if not hop.ca:
        made.load_default_certs()
        made.verify_mode = ssl.CERT_REQUIRED
        made.check_hostname = True
    return made


def _named(exc: Exception, hop: EngineHop) -> Failure:
    """What went wrong in the handshake, with the address that the person wrote."""
    if isinstance(exc, Failure):
        return type(exc)(f"{hop.label}: {exc.title}", exc.hint, retry=exc.retry, code=exc.code)
    return Lost(f"{hop.label} hung up in the TLS handshake")
