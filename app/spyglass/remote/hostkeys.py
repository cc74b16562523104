"""Which host key belongs to whom: our own reader of known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).

paramiko's reader gives up at a marker, never applies ``@revoked`` and takes ``!host`` for a
match, so it is not used. Files are only ever appended to.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spyglass.errors import Failure
from spyglass.remote import hostcert
from spyglass.remote.patterns import listed
from spyglass.remote.sshwire import key_type as key_type_of

CERTIFICATE = "-cert-v01@openssh.com"
ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_MARKERS = ("@cert-authority", "@revoked")


@dataclass(frozen=True, slots=True)
class Line:
    """One usable line: its marker (or empty), host patterns, key type, key, and where it stands."""

    marker: str
    hosts: str
    key_type: str
    blob: bytes = field(repr=False)
    file: Path
    number: int

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.number}"

    def about(self, name: str) -> bool:
        """Whether the line is about the host, named as :func:`entry_name` does."""
        if self.hosts.startswith("|1|"):
            return _hashed_is(self.hosts, name)
        return listed(name, self.hosts.lower().split(","))


@dataclass(frozen=True, slots=True)
class Known:
    """The key is the one in the file; ``by_certificate``: vouched for by a CA that is."""

    place: str
    by_certificate: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known of this host's keys.

    ``remark`` is for the person who decides: why a certificate of the host does not count.
    """

    fingerprint: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """The host is known by another key: never go on. ``old`` and ``new`` are fingerprints.

    ``old_type`` may be another type than the new one's: with :func:`preferred_types` the server
    would have shown a key of a known type if it still had it.
    """

    file: Path
    line: int
    old: str
    new: str
    old_type: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """The key is marked as revoked: never go on."""

    file: Path
    line: int
    fingerprint: str


Verdict = Known | Unknown | Changed | Revoked


def fingerprint(blob: bytes) -> str:
    """The key's fingerprint as OpenSSH writes it: ``SHA256:`` and base64 without padding."""
    digest = hashlib.sha256(blob).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def entry_name(host: str, port: int = 22) -> str:
    """How known_hosts files write a host: plain for port 22, else ``[host]:port``; lower case."""
    return host.lower() if port in (0, 22) else f"[{host.lower()}]:{port}"


def read(files: Iterable[Path], warnings: list[str] | None = None) -> Iterator[Line]:
    """Yield every usable line; the others add a sentence to ``warnings``. A missing file is empty."""
    for file in files:
        try:
            data = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            _note(warnings, f"{file} can't be read: {error.strerror}")
            continue
        for number, text in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
            fields = text.split()
            if fields and not fields[0].startswith("#"):
                line = _line(fields, file, number)
                if line is None:
                    _note(warnings, f"{file}:{number} is no known_hosts line; it is left out")
                else:
                    yield line


def _line(fields: list[str], file: Path, number: int) -> Line | None:
    marker = fields.pop(0) if fields[0].startswith("@") else ""
    if len(fields) < 3 or marker not in ("", *_MARKERS):
        return None
    try:
        blob = base64.b64decode(fields[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    if key_type_of(blob) != fields[1]:
        return None
    return Line(marker, fields[0], fields[1], blob, file, number)


def _note(warnings: list[str] | None, text: str) -> None:
    if warnings is not None:
        warnings.append(text)


def _hashed_is(hashed: str, name: str) -> bool:
    """``|1|salt|HMAC-SHA1(salt, name)``, both in base64."""
    parts = hashed.split("|")
    if len(parts) != 4:
        return False
    try:
        salt, digest = base64.b64decode(parts[2]), base64.b64decode(parts[3])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), "sha1").digest(), digest)


def check(
    files: Iterable[Path],
    host: str,
    port: int,
    key_type: str,
    key_blob: bytes,
    *,
    warnings: list[str] | None = None,
    now: float | None = None,
) -> Verdict:
    """Judge the key that a server has presented (and proved to own).

    ``key_blob`` is the key on the wire, or the whole certificate when ``key_type`` is one;
    ``now`` is the time (seconds since the epoch) by which certificates are judged.
    """
    lines = list(read(files, warnings))
    if key_type.endswith(CERTIFICATE):
        return _judge_certificate(lines, host, port, key_blob, now)
    return _judge(lines, host, port, key_blob)


def _about(lines: Iterable[Line], host: str, port: int) -> list[Line]:
    name = entry_name(host, port)
    return [line for line in lines if line.about(name)]


def _judge(lines: list[Line], host: str, port: int, blob: bytes, remark: str = "") -> Verdict:
    ours = _about(lines, host, port)
    if revoked := next((line for line in ours if line.marker == "@revoked" and line.blob == blob), None):
        return Revoked(revoked.file, revoked.number, fingerprint(blob))
    plain = [line for line in ours if not line.marker]
    if same := next((line for line in plain if line.blob == blob), None):
        return Known(same.place)
    if plain:  # another key is known; its type may differ, as in OpenSSH
        old = next((line for line in plain if line.key_type == key_type_of(blob)), plain[0])
        return Changed(old.file, old.number, fingerprint(old.blob), fingerprint(blob), old.key_type)
    if port not in (0, 22):  # as in OpenSSH: a key known for port 22 is good for the others
        portless = _judge(lines, host, 22, blob)
        if isinstance(portless, Known | Revoked):
            return portless
    return Unknown(fingerprint(blob), remark)


def _judge_certificate(lines: list[Line], host: str, port: int, blob: bytes, now: float | None) -> Verdict:
    """A certificate counts if a CA in the files signed it; else its plain key is judged (as in OpenSSH)."""
    try:
        certificate = hostcert.parse(blob)
    except ValueError:
        return Unknown(fingerprint(blob), remark="the server's certificate can't be read")
    ours = _about(lines, host, port)
    for line in ours:
        if line.marker == "@revoked" and line.blob in (certificate.authority, certificate.key):
            return Revoked(line.file, line.number, fingerprint(line.blob))
    vouching = [one for one in ours if one.marker == "@cert-authority" and one.blob == certificate.authority]
    fault = certificate.fault(host.lower(), now) if vouching else ""
    if vouching and not fault:
        return Known(vouching[0].place, by_certificate=True)
    return _judge(lines, host, port, certificate.key, fault and f"its certificate is not valid: {fault}")


def preferred_types(files: Iterable[Path], host: str, port: int) -> tuple[str, ...]:
    """Return the host key algorithms to offer, best first.

    Certificates if a CA is known for the host, then types whose key is known, then the rest:
    this order keeps a server with several keys from looking unknown.
    """
    ours = _about(read(files), host, port)
    known = {line.key_type for line in ours if not line.marker}
    first = [name for name in ALGORITHMS if _plain_type(name) in known]
    rest = [name for name in ALGORITHMS if name not in first]
    vouched = any(line.marker == "@cert-authority" for line in ours)
    return (*(name + CERTIFICATE for name in ALGORITHMS if vouched), *first, *rest)


def _plain_type(algorithm: str) -> str:
    return "ssh-rsa" if algorithm.startswith("rsa-") else algorithm


def remember(file: Path, host: str, port: int, key_type: str, blob: bytes, *, hashed: bool = False) -> None:
    """Append the key; creates the file (0600) and its directory (0700). Raises Failure if it can't.

    Of a certificate the plain key is kept: that is what a person was asked about.
    """
    if key_type.endswith(CERTIFICATE):
        blob = hostcert.parse(blob).key
    name = _hash(entry_name(host, port)) if hashed else entry_name(host, port)
    line = f"{name} {key_type_of(blob)} {base64.b64encode(blob).decode('ascii')}\n"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _append(file, line.encode())
    except OSError as error:
        raise Failure(
            f"The host key can't be written to {file}",
            f"{error.strerror}. Look at the owner and mode of that file.",
        ) from error


def _append(file: Path, line: bytes) -> None:
    """One write in append mode: others may append at the same time."""
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        size = os.lseek(handle, 0, os.SEEK_END)
        if size:
            os.lseek(handle, size - 1, os.SEEK_SET)
            line = line if os.read(handle, 1) == b"\n" else b"\n" + line
        os.write(handle, line)
    finally:
        os.close(handle)


def _hash(name: str) -> str:
    salt = os.urandom(20)
    digest = hmac.new(salt, name.encode(), "sha1").digest()
    return f"|1|{base64.b64encode(salt).decode('ascii')}|{base64.b64encode(digest).decode('ascii')}"
