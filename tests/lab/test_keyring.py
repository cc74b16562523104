"""The real Secret Service: gnome-keyring on a session bus of its own, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"
TESTS = Path(__file__).parents[1]

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

LOGIN = """
from pathlib import Path
from spyglass.keeping import Keeper
from spyglass.profile import Profile
from spyglass.questions import Typed
from spyglass.remote import auth
from spyglass.remote.base import Stop
from spyglass.remote.sshconfig import Settings
from spyglass.safe import Safe
from support.authserver import Doorman, door

def log_in(safe, right, *typed):
    left, asked = list(typed), []
    def ask(question):
        asked.append(question)
        return left.pop(0)
    keeper = Keeper(safe, Profile(name="lab", id="1" * 32), ask, Stop(), saved=True)
    with door(Doorman(steps=[["password"]], password=right)) as transport:
        bob = Settings("prod", "prod", "bob")
        way = auth.authenticate(transport, bob, keeper.ask, Stop(), secrets=keeper)
    print(way, len(asked), *(question.why_not or "-" for question in asked))
"""

STAYS = (
    LOGIN
    + """
log_in(Safe(), "swordfish", Typed("swordfish", "keyring"))
log_in(Safe(), "swordfish")
log_in(Safe(), "marlin", Typed("marlin", "keyring"))
log_in(Safe(), "marlin")
safe = Safe()
safe.forget("1" * 32)
log_in(safe, "marlin", "marlin")
log_in(safe, "marlin")
"""
)

SHUT = (
    LOGIN
    + """
safe = Safe()
log_in(safe, "swordfish", Typed("swordfish", "keyring"))
log_in(safe, "swordfish")
"""
)

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


def test_a_password_is_stored_used_replaced_when_wrong_and_deleted_with_its_profile(home: Path) -> None:
    """Each line: how the login went, how often a person was asked, and why not for the keyring."""
    output = _run(home, STAYS, UNLOCKED, PYTHONPATH=f"{APP}{os.pathsep}{TESTS}")

    assert output.splitlines() == [
        "password 1 -",
        "password 0",
        "password 1 -",
        "password 0",
        "password 1 -",
        "password 0",
    ]


def test_a_locked_keyring_costs_one_question_that_says_so_and_loses_nothing(home: Path) -> None:
    output = _run(home, SHUT, LOCKED, PYTHONPATH=f"{APP}{os.pathsep}{TESTS}")

    assert output.splitlines() == ["password 1 The system's keyring is locked.", "password 0"]


def test_without_a_keyring_the_question_says_why(home: Path) -> None:
    output = _run(home, SHUT, services=False, PYTHONPATH=f"{APP}{os.pathsep}{TESTS}")

    assert output.startswith("password 1 No system keyring found (")
    assert output.splitlines()[-1] == "password 0"
