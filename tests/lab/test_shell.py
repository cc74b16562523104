"""A shell on a remote node, in a terminal of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spyglass.erlang import runtime
from spyglass.erlang.shell import banner
from support.beam import Beam, beam

SHELL = """
import sys
from pathlib import Path
from spyglass.erlang import runtime, shell, slots
cache, name, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
erlang = runtime.find(cache=cache, window=False)
with slots.take(cache, cache) as slot:
    cookie, ebin = sys.stdin.readline().strip(), runtime.modules(erlang, cache)
    sys.exit(shell.run_shell(erlang, ebin, slot, name, port, cookie))
"""
COOKIE = "cookie-of-the-shell"


class Terminal:
    """What a person has before them: keys in, letters out."""

    def __init__(self, remote: Beam, cache: Path, kind: str = "xterm") -> None:
        self.seen = ""
        self.status: int | None = None
        argv = [sys.executable, "-c", SHELL, str(cache), remote.name, str(remote.port)]
        environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": kind}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(argv[0], argv, environ)
        self.type(COOKIE + "\n")

    def type(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def wait(self, text: str, seconds: float = 20) -> str:
        """What came until this text was seen."""
        begun, deadline = len(self.seen), time.monotonic() + seconds
        while text not in self.seen[begun:]:
            assert time.monotonic() < deadline, f"no {text!r} in {self.seen!r}"
            ready, _, _ = select.select([self.fd], [], [], 0.1)
            if ready:
                self.seen += self._read()
        return self.seen[begun:]

    def _read(self) -> str:
        try:
            return os.read(self.fd, 65536).decode("utf-8", "replace")
        except OSError:  # Linux says so at the end of a terminal
            return ""

    def ended(self, seconds: float = 10) -> int:
        """The exit status, once the program has left."""
        deadline = time.monotonic() + seconds
        while self.status is None:
            assert time.monotonic() < deadline, f"still running: {self.seen!r}"
            if select.select([self.fd], [], [], 0.05)[0]:
                self.seen += self._read()
            self.poll()
        return self.status

    def poll(self) -> None:
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.status = os.waitstatus_to_exitcode(status)

    def hang_up(self) -> None:
        os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        if self.fd >= 0:
            self.hang_up()  # the shell ends with its terminal
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cache")
    runtime.modules(runtime.find(cache=made), made)
    return made


@pytest.fixture(scope="module")
def elixir() -> Iterator[Beam]:
    with beam("brew@127.0.0.9", COOKIE, elixir=True) as node:
        yield node


@pytest.fixture(scope="module")
def plain() -> Iterator[Beam]:
    with beam("plain@web-1", COOKIE) as node:
        yield node


@contextmanager
def terminal(remote: Beam, cache: Path) -> Iterator[Terminal]:
    made = Terminal(remote, cache)
    try:
        yield made
    finally:
        made.close()


def still_there(remote: Beam) -> bool:
    time.sleep(0.2)  # a node that was told to stop takes a moment
    return remote.alive()


def test_it_is_iex_where_the_node_has_elixir(elixir: Beam, cache: Path) -> None:
    with terminal(elixir, cache) as person:
        person.wait("iex(brew@127.0.0.9)1>")
        person.type("node()\n")
        person.wait(':"brew@127.0.0.9"')
        person.type("Enum.ma\t")
        person.wait("map_reduce/3")


def test_a_terminal_that_nobody_named_will_do(elixir: Beam, cache: Path) -> None:
    made = Terminal(elixir, cache, kind="")
    try:
        made.wait("iex(")
        made.type("node()\n")
        made.wait(elixir.name)
    finally:
        made.close()


def test_it_is_erlangs_shell_where_the_node_has_no_elixir(plain: Beam, cache: Path) -> None:
    with terminal(plain, cache) as person:
        person.wait("(plain@web-1)1>")
        person.type("{node(), 7 * 6}.\n")
        person.wait("{'plain@web-1',42}")
        person.type("lists:rev\t")
        person.wait("lists:reverse(")


@pytest.mark.parametrize("keys", ["\x1c", "\x07", "\x03"], ids=["ctrl-backslash", "ctrl-g", "ctrl-c"])
def test_the_keys_that_leave_end_nothing_else(elixir: Beam, cache: Path, keys: str) -> None:
    after = {"\x07": ("-->", "q\n"), "\x03": ("(a)bort", "a\n")}
    with terminal(elixir, cache) as person:
        person.wait("1>")
        person.type(keys)
        if keys in after:
            sign, answer = after[keys]
            person.wait(sign)
            person.type(answer)
        assert person.ended() == 0
    assert still_there(elixir)


@pytest.mark.parametrize("line", ["System.halt", "System.stop()", ":init.stop", "  System.halt(3)"])
def test_words_that_would_stop_the_node_leave_iex_instead(elixir: Beam, cache: Path, line: str) -> None:
    with terminal(elixir, cache) as person:
        person.wait("1>")
        person.type(line + "\n")
        person.wait("brew@127.0.0.9 goes on")
        assert person.ended() == 0
    assert still_there(elixir)


@pytest.mark.parametrize("line", ["q().", "halt().", "halt(1).", "init:stop().", "erlang:halt()."])
def test_words_that_would_stop_the_node_leave_erlangs_shell_instead(
    plain: Beam, cache: Path, line: str
) -> None:
    with terminal(plain, cache) as person:
        person.wait("1>")
        person.type(line + "\n")
        person.wait("plain@web-1 goes on")
        assert person.ended() == 0
    assert still_there(plain)


@pytest.mark.parametrize("which", ["elixir", "plain"])
def test_a_terminal_that_is_closed_does_not_stop_the_node(
    elixir: Beam, plain: Beam, cache: Path, which: str
) -> None:
    remote = {"elixir": elixir, "plain": plain}[which]
    with terminal(remote, cache) as person:
        person.wait("1>")
        person.hang_up()
        deadline = time.monotonic() + 10
        while person.status is None and time.monotonic() < deadline:
            person.poll()
        assert person.status is not None
    assert still_there(remote)


def test_a_node_that_goes_down_ends_the_shell(cache: Path) -> None:
    with beam("mortal@127.0.0.9", COOKIE) as remote, terminal(remote, cache) as person:
        person.wait("1>")
        remote.kill()
        person.wait("mortal@127.0.0.9 is gone")
        assert person.ended() == 1


def test_a_wrong_cookie_is_told(cache: Path) -> None:
    with beam("picky@127.0.0.9", "another-cookie") as remote, terminal(remote, cache) as person:
        person.wait("picky@127.0.0.9 did not let us join")
        assert person.ended() == 1


def test_the_cookie_stands_in_no_command_line_and_no_environment(plain: Beam, cache: Path) -> None:
    with terminal(plain, cache) as person:
        person.wait("1>")
        vm = next(pid for pid in _children(person.pid) if b"spyglass_shell" in _words(pid, "cmdline"))
        for kind in ("cmdline", "environ"):
            assert COOKIE.encode() not in _words(vm, kind)


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _words(pid: int, kind: str) -> bytes:
    return Path(f"/proc/{pid}/{kind}").read_bytes()


def test_the_banner_tells_how_to_leave() -> None:
    assert banner("a@b", elixir=True) == "iex on a@b. Leave with Ctrl-\\ or Ctrl-G q; the node goes on."
    assert "q()" in banner("a@b", elixir=False)
