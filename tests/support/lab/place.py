"""A place: own network, mounts, processes, host name; all of it gone when its owner is.

The first process of a place waits for the end of its standard input, a pipe that only
the test run holds. However the run ends (``kill -9`` included), that process ends, and with
the first process of a process namespace the kernel ends all the others; the namespaces, with
their interfaces, firewall rules and mounts, go with the last of them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FLAGS = [
    "--net",
    "--mount",
    "--pid",
    "--uts",
    "--ipc",
    "--fork",
    "--kill-child=KILL",
    "--mount-proc",
    "--propagation=private",
]
# Children that nobody waits for are reaped by the kernel as long as SIGCHLD is ignored.
_FIRST = (
    "import signal, sys\n"
    "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
    "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "print('up', flush=True)\n"
    "sys.stdin.read()\n"
)


class Guest:
    """A command that runs inside a place. ``pid`` is its process id as seen from outside."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self.popen = popen
        self._pid = 0

    @property
    def pid(self) -> int:
        """The command itself, not the wrapper that brought it into the place."""
        deadline = time.monotonic() + 5
        while not self._pid and self.popen.poll() is None and time.monotonic() < deadline:
            inside = children(self.popen.pid)
            self._pid = inside[0] if inside else 0
            time.sleep(0 if inside else 0.002)
        return self._pid

    def send(self, number: int) -> None:
        """Send a signal to the command (SIGINT is what Ctrl-C sends)."""
        if not self.pid:  # 0 would mean the test runner's own group
            raise ProcessLookupError("the command has ended")
        os.kill(self.pid, number)

    def wait(self, timeout: float = 20) -> int:
        """Wait for its end, at most ``timeout`` seconds; return the exit status (-2: ended by SIGINT).

        One that goes on is ended by SIGABRT; Python tells then where it was, and the error with it.
        """
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGABRT)
            raise TimeoutError(f"still running after {timeout} s: {self.communicate(5)}") from None

    def until_held(self) -> list[str]:
        """Return what it printed, a line each, until it says that it holds, or has ended."""
        lines = []
        for line in iter(self.popen.stdout.readline if self.popen.stdout else bytes, b""):
            lines.append(line.decode().rstrip())
            if line.startswith(b"Held"):
                break
        return lines

    def communicate(self, timeout: float = 20) -> tuple[str, str]:
        """Wait for its end; return what it wrote on standard output and error."""
        out, err = self.popen.communicate(timeout=timeout)
        return (out or b"").decode(errors="replace"), (err or b"").decode(errors="replace")

    def close(self) -> None:
        """End it if it still runs, and release the pipes."""
        with suppress(ProcessLookupError):  # it has just ended, and the wrapper is about to
            if self.popen.poll() is None and self.pid:
                os.kill(self.pid, signal.SIGKILL)
        for stream in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if stream:
                stream.close()
        self.popen.wait(10)


class Place:
    """A set of namespaces with a first process of ours; use as a context manager."""

    def __init__(self, hostname: str) -> None:
        self.hostname = hostname
        self._guests: list[Guest] = []
        self._unshare = subprocess.Popen(
            ["unshare", *_FLAGS, "--", sys.executable, "-I", "-S", "-c", _FIRST],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C at the terminal is the test runner's, not the place's
        )
        self.first = self._wait_up()
        self.run(["hostname", hostname])
        self.run(["ip", "link", "set", "lo", "up"])

    def _wait_up(self) -> int:
        if not self._unshare.stdout or self._unshare.stdout.readline() != b"up\n":
            raise RuntimeError("unshare made no namespaces; the lab needs root (or CAP_SYS_ADMIN)")
        return children(self._unshare.pid)[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process of the place, and with them the place."""
        if self._unshare.stdin and not self._unshare.stdin.closed:
            self._unshare.stdin.close()
        self._unshare.wait(20)
        for guest in self._guests:
            guest.close()
        if self._unshare.stdout:
            self._unshare.stdout.close()

    def command(
        self, argv: Sequence[str], *, user: str = "root", cwd: str = "/", hide: Sequence[str] = ()
    ) -> list[str]:
        """Return the command line that runs ``argv`` inside; ``hide`` lists paths that it shall not see."""
        enter = ["nsenter", f"--target={self.first}", "--net", "--mount", "--pid", "--uts", "--ipc", "--"]
        veil = ["unshare", "--mount", "--propagation=private", "--", "sh", "-c", _VEIL, "veil", *hide, "--"]
        become = ["setpriv", "--pdeathsig=KILL"]
        if user != "root":
            become += [f"--reuid={user}", f"--regid={user}", "--init-groups", "--inh-caps=-all"]
        return [*enter, *(veil if hide else ()), *become, "env", "-C", cwd, *argv]

    def popen(
        self,
        argv: Sequence[str],
        *,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        hide: Sequence[str] = (),
        stdin: int | IO[Any] | None = subprocess.DEVNULL,
        stdout: int | IO[Any] | None = subprocess.PIPE,
        stderr: int | IO[Any] | None = subprocess.PIPE,
    ) -> Guest:
        """Start a command inside. Its environment is ``env`` and nothing else."""
        popen = subprocess.Popen(
            self.command(argv, user=user, cwd=cwd, hide=hide),
            env={"PATH": PATH, "LANG": "C.UTF-8", **(env or {})},
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )
        guest = Guest(popen)
        self._guests.append(guest)
        return guest

    def run(
        self,
        argv: Sequence[str],
        *,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        hide: Sequence[str] = (),
        text: str | None = None,
        timeout: float = 20,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside and wait, at most ``timeout`` seconds; with ``check`` it must succeed."""
        done = subprocess.run(
            self.command(argv, user=user, cwd=cwd, hide=hide),
            env={"PATH": PATH, "LANG": "C.UTF-8", **(env or {})},
            input=text if text is not None else "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(
                f"{self.hostname}: {' '.join(argv)} ended with {done.returncode}: {done.stderr}"
            )
        return done

    def sh(self, script: str, *arguments: str, timeout: float = 20) -> str:
        """Run a shell script inside, as root; return what it printed."""
        return self.run(["sh", "-euc", script, "sh", *arguments], timeout=timeout).stdout

    def processes(self) -> dict[int, str]:
        """Return every process of the place but the first: its command line by its inside process id."""
        listing = self.run(["ps", "-e", "-ww", "-o", "pid=,ppid=,args="]).stdout.splitlines()
        rows = [line.split(None, 2) for line in listing if line.strip()]
        return {int(pid): args for pid, _, args in rows if pid != "1" and not args.startswith("ps -e -ww")}

    def sockets(self) -> set[str]:
        """Return what listens inside: ``tcp 127.0.0.1:4369 beam.smp``, one string each."""
        found = set()
        for line in self.run(["ss", "-Hltunp"]).stdout.splitlines():
            fields = line.split()
            owner = fields[-1].split('"')[1] if '"' in fields[-1] else "?"
            found.add(f"{fields[0]} {fields[4]} {owner}")
        return found


# Covers each path given before "--" with an empty file or directory, then runs what comes after.
_VEIL = """
empty=$(mktemp -d); : > "$empty/file"; mkdir "$empty/dir"
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mount --bind "$empty/dir" "$1"
  elif [ -e "$1" ]; then mount --bind "$empty/file" "$1"
  fi
  shift
done
shift; exec "$@"
"""


def children(pid: int) -> list[int]:
    """Return the direct children of a process."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
