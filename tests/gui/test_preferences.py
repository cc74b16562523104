"""Preferences and first run: what is chosen counts at once, and the first run ends connected."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from spyglass.erlang.installation import Erlang
from spyglass.errors import Failure, Missing
from spyglass.profile import Profile, SSHHop
from spyglass.store import settings
from spyglass.ui import style
from spyglass.ui.errand import Errand
from spyglass.ui.preferences import Preferences
from spyglass.ui.preferred import Preferred
from spyglass.ui.wizard import Wizard
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.ui.window import MainWindow

GOOD = Erlang(Path("/opt/27/bin/erl"), Path("/opt/27"), 27, "27.3", wx=True, observer=True, compiler=True)
BARE = Erlang(Path("/opt/25/bin/erl"), Path("/opt/25"), 25, "25.1", wx=False, observer=False, compiler=True)
NONE = Missing(
    "There is no Erlang on this computer", "sudo apt install erlang-observer  (or choose its `erl`)."
)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, Erlang | Failure]:
    """What the search for Erlang comes to: by setting."""
    answers: dict[str, Erlang | Failure] = {"": GOOD}

    def find(setting: str) -> Erlang:
        assert threading.current_thread() is not threading.main_thread()
        answer = answers.get(setting, NONE)
        if isinstance(answer, Failure):
            raise answer
        return answer

    monkeypatch.setattr("spyglass.ui.erlang_check.find", find)
    monkeypatch.setattr("spyglass.ui.preferences.installed", lambda: [GOOD, BARE])
    return answers


@pytest.fixture
def preferred(tmp_path: Path) -> Preferred:
    return Preferred(tmp_path / "settings.toml")


@pytest.fixture
def dialog(
    qtbot: QtBot,
    preferred: Preferred,
    found: dict[str, Erlang | Failure],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Preferences:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = Preferences(preferred)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.erl.count() == 3)
    return made


def saved(tmp_path: Path) -> settings.Settings:
    value, faults = settings.load(tmp_path / "settings.toml")
    assert faults == []
    return value


def test_the_erlangs_that_are_here_can_be_chosen_and_are_tried(
    dialog: Preferences,
    preferred: Preferred,
    found: dict[str, Erlang | Failure],
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    qtbot.waitUntil(lambda: "Erlang/OTP 27.3" in dialog.check.words.text())
    found[str(BARE.path)] = Missing(
        "The Erlang at /opt/25/bin/erl (OTP 25) has no wx", "sudo apt install x  (or)"
    )
    dialog.erl.setCurrentIndex(2)
    assert "without Observer" in dialog.erl.currentText()
    qtbot.waitUntil(lambda: "has no wx" in dialog.check.words.text())
    assert dialog.check.command.text() == "sudo apt install x"
    assert preferred.erl() == saved(tmp_path).erl == str(BARE.path)


def test_an_erlang_elsewhere_can_be_chosen(dialog: Preferences, preferred: Preferred) -> None:
    dialog.choose_erlang("/srv/erl")
    assert preferred.erl() == "/srv/erl"
    assert dialog.erl.currentText() == "/srv/erl"


def test_changes_count_at_once_and_are_kept(
    dialog: Preferences, preferred: Preferred, tmp_path: Path
) -> None:
    dialog.theme.setCurrentIndex(dialog.theme.findData("dark"))
    assert style.tokens().dark
    dialog.level.setCurrentIndex(dialog.level.findData("debug"))
    dialog.tray.setChecked(False)
    dialog.notify.setChecked(False)
    kept = saved(tmp_path)
    assert (kept.theme, kept.log_level, kept.tray, kept.notifications) == ("dark", "debug", False, False)
    assert preferred.value == kept


def test_starting_at_login_writes_and_removes_the_entry(dialog: Preferences, tmp_path: Path) -> None:
    assert not dialog.login.isChecked()
    dialog.login.setChecked(True)
    [entry] = (tmp_path / "config/autostart").iterdir()
    assert "--background" in entry.read_text()
    dialog.login.setChecked(False)
    assert not entry.exists()


def test_what_cannot_be_kept_is_said_and_shown_as_it_is(dialog: Preferences, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file in the way")
    dialog.login.setChecked(True)
    assert "can't be changed" in dialog.fault.text()
    assert not dialog.login.isChecked()
    dialog.notify.setChecked(False)
    assert not dialog.fault.isVisible()


def test_a_dialog_that_closed_meanwhile_is_not_told(qtbot: QtBot) -> None:
    go, told = threading.Event(), []

    class Waiting(QObject):
        def hear(self, outcome: object) -> None:
            told.append(outcome)

    waiting = Waiting()
    errand = Errand(go.wait, waiting.hear)
    waiting.deleteLater()
    qtbot.wait(10)
    go.set()
    errand._thread.join()
    qtbot.wait(10)
    assert told == []


class FakeRun(QObject):
    """A demo that a test plays."""

    ready, failed = Signal(object), Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.started = False

    def start(self) -> None:
        self.started = True


@pytest.fixture
def run() -> FakeRun:
    return FakeRun()


@pytest.fixture
def hub() -> fake.FakeHub:
    return fake.FakeHub()


@pytest.fixture
def wizard(
    window: MainWindow,
    run: FakeRun,
    preferred: Preferred,
    found: dict[str, Erlang | Failure],
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> Wizard:
    monkeypatch.setattr("spyglass.ui.wizard._hosts", lambda: ["prod1", "demo"])
    made = Wizard(window, preferred, lambda: run)  # type: ignore[arg-type,return-value]
    made.open()
    qtbot.waitUntil(lambda: made.list.count() == 4)
    return made


def hop(hub: fake.FakeHub) -> tuple[str, object]:
    [add, connect] = hub.calls
    assert (add[0], connect) == ("add", ("connect", add[1].id))
    return add[1].name, add[1].hops


@pytest.mark.parametrize(("row", "host"), [(2, "prod1"), (3, "demo")])
def test_a_host_of_the_ssh_config_becomes_a_profile_and_is_connected(
    wizard: Wizard, hub: fake.FakeHub, window: MainWindow, row: int, host: str
) -> None:
    wizard.list.setCurrentRow(row)
    assert wizard.go.text() == f"Connect to {host}"
    wizard.go.click()
    assert hop(hub) == (host, (SSHHop(host),))
    assert window.page.profile.name == host
    assert not wizard.isVisible()


def test_another_host_can_be_typed(wizard: Wizard, hub: fake.FakeHub) -> None:
    wizard.other.setText("two words")
    wizard.go.click()
    assert "is not a host" in wizard.said.text()
    wizard.other.setText("deploy@prod9:2222")
    wizard.go.click()
    assert hop(hub) == ("deploy@prod9:2222", (SSHHop("prod9", "deploy", 2222),))


def test_this_computer_is_a_place_too(wizard: Wizard, hub: fake.FakeHub) -> None:
    wizard.list.setCurrentRow(1)
    wizard.go.click()
    assert hop(hub) == ("This computer", ())


def test_the_demo_starts_and_is_connected_without_being_saved(
    wizard: Wizard, hub: fake.FakeHub, run: FakeRun, window: MainWindow
) -> None:
    wizard.list.setCurrentRow(0)
    wizard.go.click()
    assert run.started
    assert not wizard.go.isEnabled()
    demo = Profile(name="Demo", id="d" * 32, hops=(SSHHop("spyglass-demo"),))
    run.ready.emit(demo)
    assert hub.calls == [("connect", demo)]
    assert window.page.profile == demo
    assert not wizard.isVisible()


def test_a_demo_that_cannot_run_says_why_and_leaves_the_choice(wizard: Wizard, run: FakeRun) -> None:
    wizard.go.click()
    run.failed.emit(Missing("sshd is not installed", "sudo apt install openssh-server"))
    assert "sudo apt install openssh-server" in wizard.said.text()
    assert wizard.go.isEnabled()
    assert wizard.isVisible()


def test_missing_erlang_comes_with_the_command_and_can_be_checked_again(
    wizard: Wizard, found: dict[str, Erlang | Failure], qtbot: QtBot
) -> None:
    check = wizard.check
    found[""] = NONE
    check.look("")
    qtbot.waitUntil(check.again.isVisible)
    assert check.words.text() == "There is no Erlang on this computer. Or choose its erl."
    check.copy.click()
    assert QGuiApplication.clipboard().text() == "sudo apt install erlang-observer"
    found[""] = GOOD
    check.again.click()
    qtbot.waitUntil(lambda: "Erlang/OTP 27.3" in check.words.text())
    assert not check.command.isVisible()


def test_it_can_be_skipped(wizard: Wizard, hub: fake.FakeHub) -> None:
    wizard.skip.click()
    assert not wizard.isVisible()
    assert hub.calls == []
