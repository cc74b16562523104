"""The real Secret Service: gnome-keyring on a session bus of its own, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"

STORE = """
from spyglass.store.secrets import Keyring
keyring = Keyring()
assert keyring.why_not == "", keyring.why_not
keyring.set("p1", "cookie", "swordfish \\u00fc")
print(Keyring().get("p1", "cookie"))
keyring.delete("p1", "cookie")
keyring.delete_all("p1")
print(keyring.get("p1", "cookie"))
"""

ASK = """
from spyglass.errors import Failure
from spyglass.store.secrets import Keyring
keyring = Keyring()
print(keyring.why_not)
try:
    keyring.set("p1", "cookie", "swordfish")
except Failure as failure:
    print(failure.code, "|", failure.title)
"""

UNLOCKED = "printf testpw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; "
LOCKED = UNLOCKED + (
    "dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets "
    "org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >&2; "
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home and a runtime directory that nobody used before."""
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "home").mkdir(mode=0o700)
    return tmp_path


def _run(home: Path, program: str, before: str = "", services: bool = True, **more: str) -> str:
    """Run the program on a new session bus after the shell words ``before``; its output.

    With ``services`` false the bus knows no service that it could start.
    """
    config = home / "bus.conf"
    config.write_text(BUS.format(services="<standard_session_servicedirs/>" * services))
    words = ["dbus-run-session", f"--config-file={config}", "--", "sh", "-c", f'{before}exec "$0" -c "$1"']
    environment = {
        "HOME": str(home / "home"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "PATH": os.environ["PATH"],
    }
    environment |= {"PYTHONPATH": str(APP), "PYTHONUTF8": "1", **more}
    done = subprocess.run(
        [*words, sys.executable, program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>{services}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


def test_a_secret_goes_into_the_keyring_and_out_again(home: Path) -> None:
    program = f"{STORE}"

    assert _run(home, program, UNLOCKED).splitlines() == ["swordfish ü", "None"]


def test_no_file_of_the_home_holds_the_secret_in_the_clear(home: Path) -> None:
    _run(home, STORE.partition("keyring.delete(")[0], UNLOCKED)
    files = [path for path in home.rglob("*") if path.is_file()]

    assert any(path.suffix == ".keyring" for path in files)
    assert not [path for path in files if b"swordfish" in path.read_bytes()]


def test_a_locked_keyring_that_nobody_can_open_says_so_at_once(home: Path) -> None:
    first, second = _run(home, ASK, LOCKED).splitlines()

    assert first == ""
    assert second == "keyring-locked | The system's keyring is locked"


def test_without_a_keyring_on_the_bus_the_reason_is_told(home: Path) -> None:
    first, second = _run(home, ASK, services=False).splitlines()

    assert first.startswith("no system keyring found (The Secret Service daemon is neither running")
    assert second.startswith("keyring | The secret was not stored: no system keyring found")


def test_a_variable_cannot_choose_a_back_end_that_keeps_nothing(home: Path) -> None:
    output = _run(home, STORE, UNLOCKED, PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")

    assert output.splitlines() == ["swordfish ü", "None"]
