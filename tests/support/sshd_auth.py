"""OpenSSH's own keys, certificates and agents for the tests of host keys and logins."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def keygen(*words: str | Path) -> str:
    """Run ssh-keygen and return what it says."""
    argv = ["ssh-keygen", *map(str, words)]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


def new_key(file: Path, kind: str = "ed25519", passphrase: str = "", *more: str) -> Path:
    """Make a key pair, a small one and with few rounds of key derivation: tests have no time."""
    if kind == "rsa":
        more = ("-b", "2048", *more)
    keygen("-q", "-t", kind, "-N", passphrase, "-C", file.name, "-a", "1", "-f", file, *more)
    return file


def sign(authority: Path, key: Path, *, principals: str, host: bool = False, validity: str = "+1h") -> Path:
    """Certify a public key; returns the certificate's file."""
    kind = ["-h"] if host else []
    keygen("-q", "-s", authority, "-I", "test", *kind, "-n", principals, "-V", validity, f"{key}.pub")
    return key.with_name(key.name + "-cert.pub")


@dataclass
class SshAgent:
    """A real agent with a socket of its own."""

    path: Path

    def add(self, *words: str | Path) -> None:
        """Call ssh-add."""
        environ = {**os.environ, "SSH_AUTH_SOCK": str(self.path)}
        subprocess.run(["ssh-add", "-q", *map(str, words)], env=environ, check=True, timeout=20)


@contextmanager
def ssh_agent(directory: Path) -> Iterator[SshAgent]:
    """Run ssh-agent until the block ends."""
    path = directory / "agent.sock"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        yield SshAgent(path)
    finally:
        process.terminate()
        process.wait(10)
