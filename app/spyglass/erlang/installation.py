"""One Erlang on this machine: what it is, found out by asking it once."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spyglass import log
from spyglass.errors import Failure

# What would change the VM's flags or code path, or (ERL_*FLAGS) be shown in its command line.
_FOREIGN = re.compile(
    r"ERL_(\w*FLAGS|LIBS|INETRC|EPMD_\w+|COMPILER_OPTIONS|CRASH_DUMP\w*)|ELIXIR_ERL_OPTIONS"
)

_ASK = (
    "Has = fun(M) -> code:which(M) =/= non_existing end,"
    "Release = erlang:system_info(otp_release),"
    'File = filename:join([code:root_dir(), "releases", Release, "OTP_VERSION"]),'
    "Version = case file:read_file(File) of {ok, B} -> string:trim(binary_to_list(B)); _ -> Release end,"
    'io:format("spyglass ~ts ~ts ~w ~w ~w ~ts~n", [Release, Version, Has(wx), Has(observer), Has(compile), '
    "code:root_dir()]), halt()."
)
_ANSWER = re.compile(r"^spyglass (\d+) (\S+) (true|false) (true|false) (true|false) (.+)$", re.MULTILINE)
_LIMIT = 15.0  # seconds; it takes 0.2, but a shim on a cold disk may take long


@dataclass(frozen=True, slots=True)
class Erlang:
    """An installation that answers. ``root`` is its library root, ``otp`` its release number."""

    path: Path
    root: Path
    otp: int
    version: str
    wx: bool
    observer: bool
    compiler: bool

    @property
    def shows_windows(self) -> bool:
        """Whether Observer can be opened with it."""
        return self.wx and self.observer

    @property
    def complete(self) -> bool:
        """Whether everything in Spyglass works with it."""
        return self.shows_windows and self.compiler


class Broken(Failure):
    """There is an ``erl``, but it does not answer."""

    code = "broken-erlang"


def environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a VM of ours: no foreign flags, and no crash dump (it would hold cookies)."""
    given = os.environ if environ is None else environ
    kept = {name: value for name, value in given.items() if not _FOREIGN.fullmatch(name)}
    return kept | {"ERL_CRASH_DUMP_SECONDS": "0"}


def run(
    path: Path, expression: str, *args: str, timeout: float, environ: Mapping[str, str] | None = None
) -> str:
    """Run ``erl`` for one expression and return what it prints. Raises Broken."""
    argv = [str(path), "-noinput", "-boot", "no_dot_erlang", "-eval", expression, *args]
    try:
        done = subprocess.run(
            argv,
            env=environment(environ),
            cwd=path.anchor,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _broken(path, f"it did not answer within {timeout:g} s") from None
    except OSError as error:
        raise _broken(path, error.strerror or type(error).__name__) from error
    if done.returncode:
        raise _broken(path, _first_line(done.stderr + done.stdout) or f"exit status {done.returncode}")
    return done.stdout.decode("utf-8", "replace")


def _first_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").splitlines()
    return log.redact(next((line.strip() for line in lines if line.strip()), ""))[:200]


def _broken(path: Path, why: str) -> Broken:
    return Broken(
        f"{path} does not work: {why}", "Repair that Erlang, or choose another one in the preferences."
    )


def probe(path: Path, environ: Mapping[str, str] | None = None) -> Erlang:
    """Ask the ``erl`` at this path what it is (about 0.2 s). Raises Broken."""
    match = _ANSWER.search(run(path, _ASK, timeout=_LIMIT, environ=environ))
    if match is None:
        raise _broken(path, "it did not answer as Erlang does")
    otp, version, wx, observer, compiler, root = match.groups()
    has = [word == "true" for word in (wx, observer, compiler)]
    return Erlang(_real(path, Path(root)), Path(root), int(otp), version, *has)


def _real(path: Path, root: Path) -> Path:
    """Behind a version manager's shim stands a program of the installation itself: use that."""
    direct = root / "bin" / path.name
    return direct if path.parent.name == "shims" and os.access(direct, os.X_OK) else path
