"""Host certificates of OpenSSH: reading one and judging it (PROTOCOL.certkeys of OpenSSH).

paramiko can negotiate and parse them, but never asks who signed them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from spyglass.remote.patterns import matches
from spyglass.remote.sshwire import Fields, key_type, string

_SUFFIX = "-cert-v01@openssh.com"
_KEY_FIELDS = {"ssh-ed25519": 1, "ssh-rsa": 2}  # ecdsa: curve and point
_HOST = 2  # SSH_CERT_TYPE_HOST


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate: the certified key and the CA's key (both as plain wire blobs), and its terms.

    ``after`` and ``before`` are seconds since the epoch.
    """

    key: bytes = field(repr=False)
    authority: bytes = field(repr=False)
    kind: int
    name: str
    principals: tuple[str, ...]
    after: int
    before: int
    critical: bytes = field(repr=False)
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def fault(self, host: str, now: float | None = None) -> str:
        """Why this certificate does not stand for the host; empty if it does."""
        moment = time.time() if now is None else now
        if self.kind != _HOST:
            return "it is not for hosts"
        if not any(matches(host, principal.lower()) for principal in self.principals):
            return f"it is for {', '.join(self.principals) or 'no host'}, not for {host}"
        if moment < self.after:
            return f"it begins at {_date(self.after)}"
        if moment >= self.before:
            return f"it ended at {_date(self.before)}"
        if self.critical:
            return "it sets conditions that are not known here"
        return "" if self._signed_by_authority() else "its signature is wrong"

    def _signed_by_authority(self) -> bool:
        from paramiko import PKey  # noqa: PLC0415 - costs 100 ms at import
        from paramiko.message import Message  # noqa: PLC0415

        try:
            authority = PKey.from_type_string(key_type(self.authority), self.authority)
            return bool(authority.verify_ssh_sig(self.signed, Message(self.signature)))
        except Exception:  # noqa: BLE001 - whatever a strange key or signature raises: not signed
            return False


def parse(blob: bytes) -> Certificate:
    """Read a certificate; raises ValueError if it is none."""
    reader = Fields(blob)
    plain = reader.string().decode("ascii").removesuffix(_SUFFIX)
    reader.string()  # the nonce
    fields = [reader.string() for _ in range(_KEY_FIELDS.get(plain, 2))]
    reader.number(8)  # the serial number
    kind, name, principals = reader.number(), reader.text(), Fields(reader.string()).strings()
    after, before, critical = reader.number(8), reader.number(8), reader.string()
    reader.string(), reader.string()  # extensions, reserved
    authority = reader.string()
    signed = blob[: reader.position]
    return Certificate(
        key=string(plain) + b"".join(map(string, fields)),
        authority=authority,
        kind=kind,
        name=name,
        principals=tuple(one.decode("utf-8", "replace") for one in principals),
        after=after,
        before=before,
        critical=critical,
        signed=signed,
        signature=reader.string(),
    )


def _date(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    except (OverflowError, OSError, ValueError):
        return "a time without end"
