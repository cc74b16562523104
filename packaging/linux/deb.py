"""Build the Debian package: ``.venv/bin/python packaging/linux/deb.py [DIRECTORY]`` (default: dist/).

Debian 12 has no PySide6, so the package carries the wheels that Spyglass runs with below
``/usr/lib/spyglass``, for the launcher in ``/usr/bin`` alone. The same commit gives the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINUX = ROOT / "packaging/linux"
DEBIAN = LINUX / "debian"
NAME, APP_ID = "spyglass", "io.github.beamspyglass.spyglass"
PRIVATE = Path("usr/lib/spyglass")

FILES = {
    DEBIAN / "launcher": ("usr/bin/spyglass", 0o755),
    LINUX / "spyglass-loopback": ("usr/libexec/spyglass/spyglass-loopback", 0o755),
    LINUX / f"{APP_ID}.policy": (f"usr/share/polkit-1/actions/{APP_ID}.policy", 0o644),
    DEBIAN / "lintian-overrides": (f"usr/share/lintian/overrides/{NAME}", 0o644),
    ROOT / f"resources/{APP_ID}.desktop": (f"usr/share/applications/{APP_ID}.desktop", 0o644),
    ROOT / f"resources/{APP_ID}.metainfo.xml": (f"usr/share/metainfo/{APP_ID}.metainfo.xml", 0o644),
    ROOT / f"resources/icons/{APP_ID}.svg": (f"usr/share/icons/hicolor/scalable/apps/{APP_ID}.svg", 0o644),
    ROOT / "resources/completions/spyglass.bash": ("usr/share/bash-completion/completions/spyglass", 0o644),
    ROOT / "resources/completions/_spyglass": ("usr/share/zsh/vendor-completions/_spyglass", 0o644),
    ROOT / "resources/completions/spyglass.fish": (
        "usr/share/fish/vendor_completions.d/spyglass.fish",
        0o644,
    ),
}
PACKED = {
    DEBIAN / "changelog": f"usr/share/doc/{NAME}/changelog.gz",
    ROOT / "resources/spyglass.1": "usr/share/man/man1/spyglass.1.gz",
}

UNUSED = (  # of the wheels; the rest is what the window loads, and what that is linked to
    "bin",
    "*.dist-info/direct_url.json",
    "*.dist-info/RECORD",
    "*.dist-info/REQUESTED",
    "**/*.pyi",
    "**/__pycache__",
    "spyglass/resources/linux",
    "spyglass/resources/completions",
    "spyglass/resources/spyglass.1",
    "spyglass/resources/screenshots",
    "PySide6/Qt/qml",
    "PySide6/Qt/libexec",
    "PySide6/Qt/metatypes",
    "PySide6/Qt/translations",
    "PySide6/doc",
    "PySide6/glue",
    "PySide6/include",
    "PySide6/lib",
    "PySide6/scripts",
    "PySide6/typesystems",
)
MODULES = {"QtCore", "QtDBus", "QtGui", "QtNetwork", "QtSvg", "QtWidgets"}
PLUGINS = {
    "iconengines/libqsvgicon.so",
    "imageformats/libqsvg.so",
    "platforminputcontexts/*",
    "platforms/libqminimal.so",
    "platforms/libqoffscreen.so",
    "platforms/libqwayland.so",
    "platforms/libqxcb.so",
    "platformthemes/libqxdgdesktopportal.so",
    "wayland-decoration-client/*",
    "wayland-graphics-integration-client/*",
    "wayland-shell-integration/*",
    "xcbglintegrations/*",
}

CONTROL = """\
Package: {name}
Version: {version}
Architecture: {architecture}
Maintainer: The Spyglass authors <beamspyglass@users.noreply.github.com>
Installed-Size: {size}
Depends: {depends}
Recommends: {recommends}
Suggests: gnome-keyring, openssh-server
Section: devel
Priority: optional
Homepage: https://github.com/beamspyglass/spyglass
Description: Observer on any BEAM node that SSH can reach
 An Erlang or Elixir application runs on a server that you reach by SSH, perhaps
 in a container there. Spyglass finds its nodes, their names, ports and cookies,
 and shows Erlang's own Observer on them after a double-click. It joins no mesh
 and leaves nothing behind, here or there.
 .
 Everything works from the command line as well.
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Spyglass
Source: https://github.com/beamspyglass/spyglass
Comment: The Python packages below usr/lib/spyglass are those that their authors
 distribute. The licence texts and notices of each lie in its .dist-info directory.

Files: *
Copyright: 2026 The Spyglass authors
License: Apache-2.0
 The text is in /usr/share/common-licenses/Apache-2.0.
"""


def main() -> None:
    """Build, and print the path."""
    _same_python()
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").absolute()
    target.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SOURCE_DATE_EPOCH", _commit_time())
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="spyglass-deb-") as scratch:
        tree = Path(scratch) / "tree"
        _install_wheels(Path(scratch), tree / PRIVATE)
        notices = list(_notices(tree / PRIVATE))
        _trim(tree / PRIVATE)
        _place_files(tree, notices)
        control = _control(tree)
        _describe(tree, control)
        _settle(tree)
        deb = target / "{Package}_{Version}_{Architecture}.deb".format(**_fields(control))
        _run("dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--build", str(tree), str(deb))
    print(deb)


def _run(*argv: str) -> str:
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def _same_python() -> None:
    """The wheels are for the Python that builds; the launcher has the system's."""
    of_system = _run("/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    ours = "{}.{}".format(*sys.version_info)
    if of_system != ours:
        raise SystemExit(
            f"The package is for the system's Python {of_system}, and .venv has {ours}.\n"
            "  Remove .venv, and build with /usr/bin first on PATH (`PATH=/usr/bin:$PATH make deb`)."
        )


def _commit_time() -> str:
    """Seconds: when the last commit was made; outside of a clone, what the changelog says."""
    if (ROOT / ".git").exists():
        return _run("git", "log", "-1", "--format=%ct")
    return _run("dpkg-parsechangelog", "-l", str(DEBIAN / "changelog"), "-S", "Timestamp")


def _install_wheels(scratch: Path, private: Path) -> None:
    """Everything pinned that Spyglass runs with, and Spyglass itself, for the system's Python."""
    pins = (ROOT / "packaging/requirements.txt").read_text().partition("\n\n")[0]
    wanted = scratch / "requirements.txt"
    wanted.write_text(pins)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(scratch), str(ROOT))
    (ours,) = scratch.glob("beam_spyglass-*.whl")
    _run(
        *pip,
        *("install", "--root-user-action=ignore", "--no-deps", "--no-compile", "--only-binary=:all:"),
        *("--target", str(private), "-r", str(wanted), str(ours)),
    )


def _trim(private: Path) -> None:
    for pattern in UNUSED:
        for path in private.glob(pattern):
            _remove(path)
    qt = private / "PySide6"
    for path in qt.iterdir():
        module = path.name.partition(".")[0]
        program = path.is_file() and "." not in path.name
        if program or (path.name.endswith(".abi3.so") and module not in MODULES):
            _remove(path)
    _trim_plugins(qt / "Qt/plugins")
    _trim_libraries(qt)


def _trim_plugins(plugins: Path) -> None:
    kept = {path for pattern in PLUGINS for path in plugins.glob(pattern)}
    for path in sorted(plugins.glob("*/*")):
        if path not in kept:
            _remove(path)
    for directory in plugins.iterdir():
        if not any(directory.iterdir()):
            directory.rmdir()


def _trim_libraries(qt: Path) -> None:
    """Keep the libraries of Qt that something kept is linked to."""
    libraries = {path.name: path for path in (*qt.glob("Qt/lib/*.so*"), *qt.glob("libpyside6*.so*"))}
    waiting = [*qt.glob("*.abi3.so"), *qt.glob("Qt/plugins/*/*.so")]
    kept: set[str] = set()
    while waiting:
        fresh = set(_needed(waiting.pop())) & libraries.keys() - kept
        kept |= fresh
        waiting += [libraries[name] for name in fresh]
    for name in libraries.keys() - kept:
        _remove(libraries[name])


def _needed(library: Path) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.*)\]", _run("readelf", "-d", str(library)))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _place_files(tree: Path, notices: Iterable[str]) -> None:
    for source, (where, mode) in FILES.items():
        target = tree / where
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(mode)
    for source, where in PACKED.items():
        target = tree / where
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(source.read_bytes(), 9, mtime=0))
    (tree / f"usr/share/doc/{NAME}/copyright").write_text(COPYRIGHT + "".join(notices))


def _notices(private: Path) -> Iterator[str]:
    """Who made what is carried along, and on which terms."""
    for found in sorted(importlib.metadata.distributions(path=[str(private)]), key=lambda one: one.name):
        if found.name == "beam-spyglass":
            continue
        about = found.metadata
        trove = [text.split(" :: ")[-1] for text in about.get_all("Classifier", []) if "License ::" in text]
        terms = about.get("License-Expression") or about.get("License") or ", ".join(trove)
        tops = sorted({file.parts[0] for file in found.files or [] if file.parts[0] not in {"..", "bin"}})
        who = about.get("Author") or about.get("Author-email") or about.get("Maintainer") or "its authors"
        yield (
            f"\nFiles: {' '.join(f'{PRIVATE}/{name}*' for name in tops)}\n"
            f"Copyright: {who.splitlines()[0]}\n"
            f"License: {terms.splitlines()[0].replace(' ', '-').replace(',', '')}\n"
            f" This is {found.name} {found.version}. Its text is in the .dist-info directory,\n"
            " or in /usr/share/common-licenses.\n"
        )


def _control(tree: Path) -> str:
    major, minor = sys.version_info[:2]
    qt, erlang = _system_packages()
    python = [f"python3 (>= {major}.{minor})", f"python3 (<< {major}.{minor + 1})"]
    depends = [*python, "adduser", "libc6 (>= 2.34)", "libgcc-s1", "libstdc++6", "zlib1g", *qt]
    size = sum(path.stat().st_size // 1024 + 1 for path in tree.rglob("*"))
    return CONTROL.format(
        name=NAME,
        version=_run("dpkg-parsechangelog", "-l", str(DEBIAN / "changelog"), "-S", "Version"),
        architecture=_run("dpkg", "--print-architecture"),
        size=size,
        depends=", ".join(depends),
        recommends=", ".join([*erlang, "pkexec | policykit-1"]),
    )


def _system_packages() -> tuple[list[str], list[str]]:
    """What `setup.sh run` installs: Qt's libraries, which must be there, and what has a choice.

    (An Erlang of a version manager is as good as Debian's; without one the window says what to do.)
    """
    names = _run(str(ROOT / "packaging/setup.sh"), "list").split()
    libraries = [name for name in names if name.startswith("lib")]
    return (
        [f"{name} | {name}t64" if name == "libglib2.0-0" else name for name in libraries],
        [name for name in names if name not in libraries and name != "openssh-server"],
    )


def _describe(tree: Path, control: str) -> None:
    """The package's own files."""
    sums = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(tree)}\n"
        for path in sorted(tree.rglob("*"))
        if path.is_file() and not path.is_symlink()
    ]
    about = tree / "DEBIAN"
    about.mkdir()
    (about / "control").write_text(control)
    (about / "md5sums").write_text("".join(sums))
    for script in ("postinst", "prerm", "postrm"):
        shutil.copyfile(DEBIAN / script, about / script)
        (about / script).chmod(0o755)


def _settle(tree: Path) -> None:
    """Modes and times that do not depend on who builds, and when."""
    programs = {tree / where for where, mode in FILES.values() if mode == 0o755}
    programs |= {tree / "DEBIAN" / name for name in ("postinst", "prerm", "postrm")}
    at = int(os.environ["SOURCE_DATE_EPOCH"])
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path in programs else 0o644)
        os.utime(path, (at, at), follow_symlinks=False)


def _fields(control: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in control.splitlines() if re.match(r"[A-Z][\w-]*: ", line))


if __name__ == "__main__":
    main()
