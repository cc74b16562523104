"""The Debian package: valid, the same each time, at home in a clean Debian, and gone without a trace."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spyglass import APP_ID, __version__
from spyglass.loopback import install, trust
from support.lab.clean import Clean, NoMirror
from support.lab.server import wait_until

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)  # lintian takes its time on a busy machine
SET_UP = pytest.mark.timeout(500)  # the first time, a Debian is made
SYSTEM = "import sys; print(sys.version_info[:2])"


def build(target: Path, **env: str) -> Path:
    words = [sys.executable, "packaging/linux/deb.py", str(target)]
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("dpkg-deb"):
        pytest.skip("this is no Debian: there is no dpkg-deb")
    system = subprocess.run(["/usr/bin/python3", "-c", SYSTEM], capture_output=True, text=True, check=True)
    if system.stdout.strip() != str(sys.version_info[:2]):
        pytest.skip("the Python of these tests is not the one that the system has")
    return build(tmp_path_factory.mktemp("deb"))


def field(deb: Path, name: str) -> str:
    return subprocess.run(
        ["dpkg-deb", "--field", str(deb), name], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def clean(deb: Path) -> Iterator[Clean]:
    """A clean Debian with the package installed as a person would, and what was there before it."""
    if os.geteuid() != 0:
        pytest.skip("a Debian to install in is made by root only")
    scratch = Path("/var/tmp") / f"spyglass-clean-{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o755)
    try:
        with Clean(field(deb, "Depends"), scratch) as made:
            yield made
    except NoMirror as reason:
        pytest.skip(f"no Debian can be made here: {reason}")
    finally:
        shutil.rmtree(scratch)


def test_what_others_read_of_us_is_valid_and_lintian_is_content(deb: Path) -> None:
    done = subprocess.run(
        ["packaging/linux/check", str(deb)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert [line.split(None, 1)[0] for line in done.stdout.splitlines()] == ["well"] * 5


def test_a_fault_in_one_of_them_is_told(tmp_path: Path) -> None:
    copied = shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
    shutil.copytree(ROOT / "resources", tmp_path / "resources")
    policy = copied / f"linux/{APP_ID}.policy"
    policy.write_text(policy.read_text().replace("<defaults>", "<default>"))
    done = subprocess.run([copied / "linux/check"], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert "NOT WELL   policy" in done.stdout


def test_the_same_commit_gives_the_same_package(deb: Path, tmp_path: Path) -> None:
    first, second = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (deb, build(tmp_path)))
    assert first == second
    assert field(deb, "Version") == __version__


@SET_UP
def test_it_is_installed_run_and_purged_in_a_clean_debian(deb: Path, clean: Clean) -> None:
    before, accounts = clean.files(), clean.run(["cat", "/etc/passwd", "/etc/group"]).stdout
    shutil.copy(deb, clean.root / "tmp/spyglass.deb")
    clean.run(["dpkg", "--install", "/tmp/spyglass.deb"])
    assert_safe(clean)
    assert_runs(clean)
    clean.run(["dpkg", "--purge", "spyglass"])

    caches = (
        "./var/lib/dpkg/",
        "./var/cache/",
        "./var/log/",
        "./etc/passwd-",
        "./etc/group-",
        "./etc/shadow-",
    )
    left = {path for path in clean.files() - before if not path.startswith(caches)}
    assert left == set()
    assert clean.run(["cat", "/etc/passwd", "/etc/group"]).stdout == accounts


def assert_safe(clean: Clean) -> None:
    """Everything is root's, and the helper is what the program takes for trustworthy."""
    assert clean.run(["dpkg", "--verify", "spyglass"]).stdout == ""
    listed = clean.run(["dpkg", "--listfiles", "spyglass"]).stdout.splitlines()
    for name in listed[1:]:
        found = (clean.root / name.lstrip("/")).lstat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7022) == (0, 0, 0), name
    for path, mode in ((trust.HELPER, 0o755), (install.POLICY, 0o644), (Path("/usr/bin/spyglass"), 0o755)):
        found = (clean.root / str(path).lstrip("/")).lstat()
        assert stat.S_ISREG(found.st_mode), path
        assert stat.S_IMODE(found.st_mode) == mode, path
    assert "spyglass-loopback" in clean.run(["getent", "passwd", "spyglass-loopback"]).stdout


def assert_runs(clean: Clean) -> None:
    """As a plain user without anything of Python around: command line, helper and window."""
    spoilt = {"PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"}

    def spyglass(*words: str) -> subprocess.CompletedProcess[str]:
        return clean.run(["spyglass", *words], user="dev", env=spoilt, check=False)

    assert spyglass("--version").stdout.split() == ["spyglass", __version__]
    assert "There is no Erlang on this computer" in spyglass("doctor", "local").stdout
    assert spyglass("nodes", "local", "--json").returncode == 0
    told = spyglass("helper")
    assert f"{trust.HELPER} is installed. It comes with the package" in told.stderr
    refusal = clean.run([str(trust.HELPER)], user="dev", check=False)
    assert refusal.returncode == 2
    assert "pkexec or sudo" in refusal.stderr
    window = clean.popen(["spyglass"], user="dev", env={"QT_QPA_PLATFORM": "offscreen"})
    wait_until(lambda: spyglass("status", "--json").returncode == 0, "the window is up", 30, every=0.2)
    assert spyglass("quit").returncode == 0
    assert window.wait(20) == 0, window.communicate()
