"""Key files on this computer: the public half without a passphrase, the private one when needed.

Formats: OpenSSH's own (PROTOCOL.key: the public half stands in it in clear), the older PEM
ones, public keys and certificates (``type base64 comment``).
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spyglass.remote import hostcert
from spyglass.remote.sshwire import Fields, key_type, mpint, string

_MAGIC = b"openssh-key-v1\0"
_BEGIN, _END = b"-----BEGIN OPENSSH PRIVATE KEY-----", b"-----END OPENSSH PRIVATE KEY-----"
_FIDO = "such keys work through the agent only; add it there with ssh-add"
_USER = 1  # SSH_CERT_TYPE_USER


class WrongPassphrase(Exception):  # noqa: N818 - it is what happened
    """The passphrase does not open the key."""


class Unusable(Exception):  # noqa: N818 - it is what it is
    """The file holds no key that can be used; says why."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a key file shows without a passphrase.

    ``public`` is empty when it can't be known before the passphrase; ``private``: there is a
    private key; ``fault`` says why the private key can't be used, empty if it can.
    """

    path: Path
    public: bytes = field(repr=False, default=b"")
    private: bool = True
    encrypted: bool = False
    fault: str = ""


def look(path: Path) -> KeyFile | None:
    """Look at the file and the ``.pub`` beside it; None when neither is there."""
    beside = public_key(path.with_name(path.name + ".pub"))
    try:
        data = path.read_bytes()
        mode = path.stat()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        if beside:
            return KeyFile(path, beside, private=False, fault="" if missing else str(error.strerror))
        return None if missing else KeyFile(path, private=False, fault=f"can't be read ({error.strerror})")
    if public := _public_line(data):
        return KeyFile(path, public, private=False)
    if _others_may_read(mode):
        return KeyFile(path, beside, private=False, fault="others may read it; take that away with chmod 600")
    return _openssh(path, data, beside) or _pem(path, data, beside)


def _openssh(path: Path, data: bytes, beside: bytes) -> KeyFile | None:
    _, begin, rest = data.partition(_BEGIN)
    if not begin:
        return None
    try:
        body = base64.b64decode(rest.partition(_END)[0])
        fields = Fields(body)
        if fields.take(len(_MAGIC)) != _MAGIC:
            raise ValueError("magic")  # noqa: TRY301 - one answer to all that is wrong with it
        cipher = fields.string()
        fields.string(), fields.string(), fields.number()  # key derivation, its options, one key
        public = fields.string()
    except (ValueError, binascii.Error):
        return KeyFile(path, beside, private=False, fault="it is not a private key that can be read")
    if key_type(public).startswith("sk-"):
        return KeyFile(path, public, private=False, fault=_FIDO)
    return KeyFile(path, public, encrypted=cipher != b"none")


def _pem(path: Path, data: bytes, beside: bytes) -> KeyFile:
    if b"PRIVATE KEY-----" not in data:
        return KeyFile(path, beside, private=False, fault="it is not a private key")
    return KeyFile(path, beside, encrypted=b"ENCRYPTED" in data)


def _others_may_read(status: os.stat_result) -> bool:
    """OpenSSH's rule: a private key of ours that others can read is not used."""
    return (
        hasattr(os, "getuid")
        and status.st_uid == os.getuid()
        and bool(status.st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    )


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key, opened. ``blob`` is its public half as it goes on the wire."""

    blob: bytes = field(repr=False)
    _key: Any = field(repr=False)

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """The signature for the wire (RFC 8332, RFC 5656 section 3.1.2, RFC 8709 section 6)."""
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - see load
        from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils  # noqa: PLC0415

        if isinstance(self._key, rsa.RSAPrivateKey):
            digest = hashes.SHA512() if algorithm == "rsa-sha2-512" else hashes.SHA256()
            signature = self._key.sign(data, padding.PKCS1v15(), digest)
        elif isinstance(self._key, ec.EllipticCurvePrivateKey):
            by_size = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
            both = self._key.sign(data, ec.ECDSA(by_size[self._key.curve.key_size]))
            signature = b"".join(map(mpint, utils.decode_dss_signature(both)))
        else:
            signature = self._key.sign(data)
        return string(algorithm) + string(signature)


def load(path: Path, passphrase: str | None = None) -> PrivateKey:
    """Return the private key. Raises WrongPassphrase (also when one is needed) or Unusable.

    paramiko's own loading pays for the key derivation twice and knows no PKCS 8.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - costs 50 ms at import
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - the same

    secret = passphrase.encode() if passphrase else None
    try:
        data = path.read_bytes()
        read = form.load_ssh_private_key if _BEGIN in data else form.load_pem_private_key
        key: Any = read(data, secret)
        public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    except OSError as error:
        raise Unusable(f"can't be read ({error.strerror})") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        known = look(path)
        if known and known.encrypted:
            raise WrongPassphrase(str(path)) from error
        raise Unusable("it is not a private key that can be read") from error
    return PrivateKey(_public_line(public), key)


def public_key(path: Path) -> bytes:
    """The blob of a ``.pub`` file; empty when there is none."""
    try:
        return _public_line(path.read_bytes())
    except OSError:
        return b""


def _public_line(data: bytes) -> bytes:
    words = data.split(None, 2)
    if len(words) < 2 or data.startswith(b"-----"):
        return b""
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (ValueError, binascii.Error):
        return b""
    return blob if key_type(blob) == words[0].decode("ascii", "replace") else b""


@dataclass(frozen=True, slots=True)
class UserCertificate:
    """A certificate for a person's key: its file, the whole blob, and the plain key that it is for."""

    path: Path
    blob: bytes = field(repr=False)
    key: bytes = field(repr=False)


def certificate(path: Path) -> UserCertificate | None:
    """Read a ``-cert.pub`` file; None when there is none, or it is for hosts."""
    blob = public_key(path)
    try:
        parsed = hostcert.parse(blob)
    except ValueError:
        return None
    return UserCertificate(path, blob, parsed.key) if parsed.kind == _USER else None


def beside(path: Path) -> Path:
    """Where the certificate of a key file lies by custom."""
    return path.with_name(path.name.removesuffix(".pub") + "-cert.pub")
