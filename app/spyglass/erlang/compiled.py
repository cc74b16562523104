"""Our Erlang modules, compiled by the person's own Erlang at first use.

A beam file made by a newer release does not load on an older one, so none is shipped.
The result is kept, by the Erlang it was made with and the sources it was made from.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from spyglass import asset
from spyglass.erlang.installation import Erlang, run
from spyglass.errors import Failure
from spyglass.store import paths

_LIMIT = 60.0  # seconds; it takes about one
_LEVELS = 2

# Compile all, then try to make the copy of Observer that opens out of sight (no harm if not).
_COMPILE = (
    "[Out, Base | Files] = init:get_plain_arguments(),"
    "Results = [compile:file(F, [{outdir, Out}, report]) || F <- Files],"
    "lists:all(fun(R) -> element(1, R) =:= ok end, Results) orelse halt(1),"
    "code:add_patha(Out), Prepared = spyglass_prepare:observer(Out),"
    'io:format("~ts ~0p~n", [Base, Prepared]), halt().'
)


def sources() -> list[Path]:
    """The source files, sorted."""
    return sorted(asset("erlang").glob("*.erl"))


def modules(erlang: Erlang, cache: Path | None = None) -> Path:
    """The directory of our beam files for this Erlang, made if need be (about 2 s).

    Raises Failure when they cannot be compiled or kept. Two first uses at the same moment
    both compile, aside; whose directory gets its name first is used by both.
    """
    top = cache or paths.current().cache
    home = top / f"ebin-{erlang.version}-{_fingerprint(erlang)}"
    return home if home.is_dir() else _make(erlang, top, home)


def _fingerprint(erlang: Erlang) -> str:
    digest = hashlib.sha256(str(erlang.root).encode())
    for source in sources():
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _make(erlang: Erlang, top: Path, home: Path) -> Path:
    try:
        aside = Path(tempfile.mkdtemp(prefix="making-", dir=top))
    except OSError as error:
        raise _unwritable(top, error) from error
    try:
        _compile(erlang, aside)
        aside.rename(home)
    except OSError as error:
        if not home.is_dir():  # it is when somebody else was quicker
            raise _unwritable(top, error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return home


def _compile(erlang: Erlang, out: Path) -> None:
    if not erlang.compiler:
        raise Failure(
            "This Erlang has no compiler", "Install it (Debian: erlang-dev), or choose another Erlang."
        )
    files = [str(source) for source in sources()]
    try:
        run(erlang.path, _COMPILE, "-extra", str(out), "made", *files, timeout=_LIMIT)
    except Failure as failure:
        raise Failure(
            f"Our Erlang modules do not compile: {failure.title}", failure.hint, code="compile"
        ) from None


def _unwritable(directory: Path, error: OSError) -> Failure:
    return Failure(
        f"Compiled modules cannot be kept in {directory}: {error.strerror}",
        "Make the directory writable for you, or free some space.",
        code="cache",
    )
