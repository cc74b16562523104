"""The node of the demo: ``resources/demo/spyglass_demo.erl`` in a container, or beside the server.

Its cookie lies in a private home directory, so it is found as any node's is, and stands in
no process list. The container needs no image to be built: it is made of an empty one and
the system's own directories, read only.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import select
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from spyglass import asset
from spyglass.demo.watch import end
from spyglass.erlang.runtime import Erlang
from spyglass.errors import Failure

ADDRESS = "127.0.0.1"
_IMAGE = "spyglass-demo"
_SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache")
_START = 20.0  # seconds
_EPMD = 4369  # inside a container nothing else wants it
_BOOT = (
    "[File | _] = init:get_plain_arguments(),"
    "{ok, Module, Code} = compile:file(File, [binary]),"
    "{module, _} = code:load_binary(Module, File, Code), Module:main()."
)


@dataclass(frozen=True)
class Node:
    """A running node. ``container`` is empty when it runs beside the server."""

    name: str
    container: str


def home(top: Path, cookie: str) -> Path:
    """Make the node's home directory with its cookie; return it."""
    directory = top / "home"
    directory.mkdir(mode=0o700)
    file = directory / ".erlang.cookie"
    file.touch(mode=0o600)
    file.write_text(cookie, "utf-8")
    file.chmod(0o400)
    return directory


@contextmanager
def start(erlang: Erlang, home: Path, *, engine: bool) -> Iterator[Node]:
    """Run the node while inside. Raises Failure when it does not come up."""
    with ExitStack() as stack:
        container = _in_container(stack, erlang, home) if engine and _engine_usable() else None
        yield container or stack.enter_context(_beside(erlang, home))


def _in_container(stack: ExitStack, erlang: Erlang, home: Path) -> Node | None:
    """An engine may be unable to do this (one in a virtual machine, say): then there is none."""
    with ExitStack() as trial:
        try:
            node = trial.enter_context(_contained(erlang, home))
        except (Failure, OSError, subprocess.SubprocessError):
            return None
        stack.push(trial.pop_all())
        return node


@contextmanager
def _beside(erlang: Erlang, home: Path) -> Iterator[Node]:
    port = _free_port()
    environment = _environment(home) | {"ERL_EPMD_PORT": str(port)}
    loopback = ["-kernel", "inet_dist_use_interface", "{127,0,0,1}"]
    with _running(_erl(erlang, loopback, ADDRESS, port), environment) as name:
        yield Node(name, "")


@contextmanager
def _contained(erlang: Erlang, home: Path) -> Iterator[Node]:
    _make_image()
    container = f"{_IMAGE}-{secrets.token_hex(3)}"
    source = asset("demo")
    seen = [path for path in _SYSTEM if os.path.exists(path)]  # noqa: PTH110 - plain text paths
    seen += [str(path) for path in (erlang.root, source) if not path.is_relative_to("/usr")]
    command = [
        *("docker", "run", "--rm", "--interactive", "--pull=never", f"--name={container}", "--init=false"),
        *("--cap-drop=ALL", "--security-opt=no-new-privileges", f"--user={os.getuid()}:{os.getgid()}"),
        *(f"--volume={path}:{path}:ro" for path in seen),
        *(f"--volume={home}:/home/demo", "--workdir=/home/demo"),
        *(f"--env={name}={value}" for name, value in _environment(Path("/home/demo")).items()),
        *("--entrypoint=", _IMAGE),
    ]
    try:
        with _running([*command, *_erl(erlang, [], "", _EPMD)], dict(os.environ)) as name:
            yield Node(name, container)
    finally:
        _docker("rm", "--force", container)
        _docker("rmi", _IMAGE)


def _erl(erlang: Erlang, flags: Sequence[str], address: str, port: int) -> list[str]:
    source = str(asset("demo/spyglass_demo.erl"))
    options = ["-noinput", "-boot", "no_dot_erlang", "-start_epmd", "false", *flags]
    return [str(erlang.root / "bin" / "erl"), *options, "-eval", _BOOT, "-extra", source, address, str(port)]


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "ERL_CRASH_DUMP_SECONDS": "0",  # a dump would hold the cookie
    }


@contextmanager
def _running(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """Run a node that says ``ready NAME`` and ends with its standard input; give the name."""
    process = subprocess.Popen(
        argv,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield _ready(process)
    finally:
        end(process)
        if process.stdout:
            process.stdout.close()


def _ready(process: subprocess.Popen[bytes]) -> str:
    said = b""
    deadline = time.monotonic() + _START
    pipe = process.stdout
    while pipe is not None and (left := deadline - time.monotonic()) > 0:
        if not select.select([pipe], [], [], left)[0]:
            break
        block = os.read(pipe.fileno(), 4096)
        said += block
        if ready := re.search(rb"^ready (\S+)\n", said, re.MULTILINE):
            return ready[1].decode()
        if not block:
            break
    raise Failure("The demo's node does not start", said.decode(errors="replace").strip()[-500:])


def _engine_usable() -> bool:
    """Whether a Docker engine takes our orders (one in a virtual machine sees other files, so Linux only)."""
    if sys.platform != "linux":
        return False
    try:
        return _docker("version", "--format", "{{.Server.Os}}").stdout.strip() == b"linux"
    except (OSError, subprocess.SubprocessError):
        return False


def _make_image() -> None:
    empty = io.BytesIO()
    with tarfile.open(fileobj=empty, mode="w"):
        pass
    _docker("import", "-", _IMAGE, stdin=empty.getvalue()).check_returncode()


def _docker(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = ["docker", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=10, check=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])
