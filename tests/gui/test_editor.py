from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from spyglass.doctor import Check
from spyglass.errors import BadInput, Failure
from spyglass.profile import TLS, ContainerHop, EngineHop, KubernetesHop, Observing, Profile, Selector, SSHHop
from spyglass.remote.base import Stop
from spyglass.store import paths
from spyglass.ui import style
from spyglass.ui.hop_rows import ContainerRow, EngineRow, SSHRow
from spyglass.ui.profile_editor import ProfileEditor, blank
from spyglass.ui.trial import Line
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

FULL = Profile(
    name="Full",
    id=fake.profile_id(9),
    hops=(SSHHop("bastion"), SSHHop("10.0.0.7", "ops", 2222, "~/.ssh/id"), ContainerHop("engine", "podman")),
    select=Selector(container="web-*", node="shop@*"),
    group="Production",
    cookie="ask",
    autoconnect=True,
    production=True,
    tls=TLS("~/ca.pem", "~/cert.pem", "~/key.pem"),
    observer=Observing(open=True, together=True, lend="never"),
)


@pytest.fixture
def edit(qtbot: QtBot) -> Callable[..., ProfileEditor]:
    def make(profile: Profile, save: Callable[[Profile], object] = lambda _p: None) -> ProfileEditor:
        editor = ProfileEditor(profile, fake.PROFILES, save)
        qtbot.addWidget(editor)
        editor.show()
        return editor

    return make


def test_what_is_not_touched_comes_back_unchanged(edit: Callable[..., ProfileEditor]) -> None:
    assert edit(FULL).profile() == FULL


def test_every_field_reaches_the_profile(edit: Callable[..., ProfileEditor]) -> None:
    saved: list[Profile] = []
    editor = edit(blank(), saved.append)
    editor.name.setText(" Shop US ")
    editor.group.setEditText("Production")
    row = editor.hops.rows[0]
    row.host.setText("prod-us")
    row.user.setText("deploy")
    row.port.setText("2200")
    row.identity.setText("~/.ssh/us")
    editor.hops.add_container.click()
    editor.hops.rows[1].name.setText("web")
    editor.hops.rows[1].engine.setCurrentText("docker")
    editor.container.setText("web-*")
    editor.node.setText("shop@*")
    editor.members.setPlainText("compose=shop/web\nlabel=tier=front")
    editor.cookie.setCurrentIndex(1)
    editor.tls.unfold.click()
    editor.tls.files.fields["ca"].setText("~/nodes-ca.pem")
    editor.observer.open.setChecked(True)
    editor.observer.lend.setCurrentIndex(1)
    editor.production.setChecked(True)
    editor.autoconnect.setChecked(True)
    editor.ok.click()
    assert saved == [
        Profile(
            name="Shop US",
            hops=(SSHHop("prod-us", "deploy", 2200, "~/.ssh/us"), ContainerHop("web", "docker")),
            select=Selector("web-*", "shop@*", compose="shop/web", label=("tier=front",)),
            group="Production",
            cookie="keyring",
            tls=TLS("~/nodes-ca.pem"),
            observer=Observing(open=True, lend="always"),
            autoconnect=True,
            production=True,
        )
    ]


def test_an_engines_api_has_its_certificates_or_a_consent_for_that_address(
    edit: Callable[..., ProfileEditor],
) -> None:
    editor = edit(Profile(name="x", hops=(EngineHop("tcp://10.0.0.7:2375", plain=True),)))
    row = editor.hops.rows[0]
    assert isinstance(row, EngineRow)
    assert editor.profile().hops == (EngineHop("tcp://10.0.0.7:2375", plain=True),)
    row.url.setText("tcp://10.0.0.8:2375")
    assert editor.profile().hops == (EngineHop("tcp://10.0.0.8:2375"),)  # agreed to for the other one only
    row.plain.click()
    assert editor.profile().hops == (EngineHop("tcp://10.0.0.8:2375", plain=True),)
    row.files.fields["ca"].setText("~/ca.pem")
    assert editor.profile().hops == (EngineHop("tcp://10.0.0.8:2375", "~/ca.pem"),)
    assert not row.plain.isVisible()
    editor.hops.add_engine.click()
    assert "Hop 2: '' is not the address of an engine's API" in editor.reason.text()


def test_a_cluster_is_added_by_a_button_and_needs_nothing_more(edit: Callable[..., ProfileEditor]) -> None:
    editor = edit(Profile(name="x", hops=(SSHHop("prod"), KubernetesHop("shop", "eu"))))
    assert editor.profile().hops[1] == KubernetesHop("shop", "eu")
    editor.hops.rows[1].drop.click()
    editor.hops.add_cluster.click()
    assert editor.profile().hops == (SSHHop("prod"), KubernetesHop("all"))


def test_tls_is_folded_up_until_there_is_something_to_see(edit: Callable[..., ProfileEditor]) -> None:
    folded, shown = edit(fake.SHOP), edit(FULL)
    assert (folded.tls.unfold.isVisible(), folded.tls.files.isVisible()) == (True, False)
    assert (shown.tls.unfold.isVisible(), shown.tls.files.isVisible()) == (False, True)
    folded.tls.unfold.click()
    folded.tls.files.fields["key"].setText("~/key.pem")
    assert "a TLS key without its certificate" in folded.reason.text()


def test_a_file_is_chosen_in_a_dialog_and_written_with_a_tilde(
    edit: Callable[..., ProfileEditor], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    editor = edit(fake.SHOP)
    qtbot.waitUntil(editor.name.hasFocus)
    field = editor.hops.rows[0].identity
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    dialog = field.findChild(QFileDialog)
    assert dialog.isVisible()
    dialog.fileSelected.emit(str(tmp_path / ".ssh/id_shop"))
    assert field.text() == "~/.ssh/id_shop"
    dialog.close()
    field.take("/etc/ssl/key.pem")
    assert field.text() == "/etc/ssl/key.pem"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e: e.name.setText(""), "The profile has no name"),
        (lambda e: e.name.setText("shop eu"), "Another profile has the name shop eu"),
        (lambda e: e.hops.rows[0].host.setText(""), "Hop 1 has an empty host"),
        (lambda e: e.hops.rows[0].host.setText("two words"), "Hop 1 has an empty host, or one with blanks"),
        (lambda e: e.hops.rows[0].host.setText("-oProxyCommand=x"), "begins with a hyphen"),
        (lambda e: e.hops.rows[1].user.setText("-x"), "the user '-x' begins with a hyphen"),
        (
            lambda e: e.hops.rows[1].port.setText("65536"),
            "Hop 2: 65536 is not a port. Ports go from 1 to 65535",
        ),
        (lambda e: e.hops.rows[1].port.setText("0"), "0 is not a port"),
        (lambda e: e.hops.rows[1].port.setText("²²"), "is not a port"),
        (lambda e: e.hops.add(SSHRow()), "Hop 4 has an empty host"),
        (lambda e: e.hops.add(ContainerRow()), "Hop 4 has an empty name"),
        (lambda e: e.node.setText("x" * 501), "A field is not usable"),
    ],
)
def test_what_cannot_work_cannot_be_saved_and_the_reason_is_shown(
    edit: Callable[..., ProfileEditor], change: Callable[[ProfileEditor], object], reason: str
) -> None:
    editor = edit(FULL)
    assert editor.ok.isEnabled()
    change(editor)
    assert not editor.ok.isEnabled()
    assert reason in editor.reason.text()


def test_correcting_it_makes_it_savable(edit: Callable[..., ProfileEditor]) -> None:
    editor = edit(FULL)
    editor.hops.rows[1].port.setText("x")
    editor.hops.rows[1].port.setText("22")
    assert editor.ok.isEnabled()
    assert editor.reason.text() == ""


def test_a_profile_may_keep_its_own_name(edit: Callable[..., ProfileEditor]) -> None:
    assert edit(fake.SHOP).ok.isEnabled()


def test_hops_change_their_order_and_go(edit: Callable[..., ProfileEditor]) -> None:
    editor = edit(FULL)
    editor.hops.rows[2].up.click()
    assert [type(hop) for hop in editor.profile().hops] == [SSHHop, ContainerHop, SSHHop]
    editor.hops.rows[0].down.click()
    assert editor.profile().hops[0] == ContainerHop("engine", "podman")
    editor.hops.rows[0].drop.click()
    assert editor.profile().hops == FULL.hops[:2]
    assert [row.up.isEnabled() for row in editor.hops.rows] == [False, True]
    assert [row.down.isEnabled() for row in editor.hops.rows] == [True, False]


def test_the_signs_on_the_buttons_follow_the_palette(edit: Callable[..., ProfileEditor]) -> None:
    button = edit(fake.SHOP).hops.rows[0].drop
    before = button.icon().pixmap(16, 16).toImage()
    style.Theme.current.choose("dark")
    try:
        assert button.icon().pixmap(16, 16).toImage() != before
    finally:
        style.Theme.current.choose("light")


def test_no_hop_means_this_computer(edit: Callable[..., ProfileEditor]) -> None:
    editor = edit(Profile(name="Here"))
    assert editor.profile().hops == ()
    assert editor.hops._none.isVisible()


def test_what_the_store_refuses_is_shown_and_the_dialog_stays(edit: Callable[..., ProfileEditor]) -> None:
    faults: list[Exception] = [BadInput("There is a profile Full already", "Choose another name.")]

    def save(_profile: Profile) -> None:
        if faults:
            raise faults.pop()

    editor = edit(FULL, save)
    editor.ok.click()
    assert editor.isVisible()
    assert "There is a profile Full already" in editor.reason.text()
    assert not editor.ok.isEnabled()
    editor.name.setText("Fuller")
    editor.ok.click()
    assert not editor.isVisible()


def test_a_full_disk_can_be_tried_again(edit: Callable[..., ProfileEditor]) -> None:
    def save(_profile: Profile) -> None:
        raise Failure("The disk is full", "Free some space.", code="disk")

    editor = edit(FULL, save)
    editor.ok.click()
    assert editor.isVisible()
    assert editor.ok.isEnabled()
    assert "The disk is full" in editor.reason.text()


CONFIG = """
Host bastion
  HostName 10.99.0.1
  User deploy
  Port 2222
Host inner
  HostName inner.internal
  ProxyJump bastion
"""


@pytest.fixture
def ssh_config(tmp_path: Path) -> Path:
    places = paths.use(paths.under(tmp_path / "spyglass"))
    places.ensure()
    file = places.config / "ssh_config"
    file.write_text(CONFIG)
    return file


def test_what_ssh_config_makes_of_a_hop_stands_below_it(
    ssh_config: Path, edit: Callable[..., ProfileEditor], qtbot: QtBot
) -> None:
    editor = edit(Profile(name="x", hops=(SSHHop("inner"), SSHHop("inner", "ops", 23))))
    first, second = editor.hops.rows
    qtbot.waitUntil(lambda: "inner.internal" in second.note.whole())
    assert first.note.whole().startswith("→ inner.internal, user ")
    assert first.note.whole().endswith(", port 22, through bastion")
    assert second.note.whole() == "→ inner.internal, user ops, port 23"
    first.host.setText("bastion")
    qtbot.waitUntil(lambda: first.note.whole() == "→ 10.99.0.1, user deploy, port 2222")


def test_a_fault_in_ssh_config_is_told_with_its_place(
    ssh_config: Path, edit: Callable[..., ProfileEditor], qtbot: QtBot
) -> None:
    ssh_config.write_text("Host x\n  Port many\n")
    editor = edit(Profile(name="x", hops=(SSHHop("x"),)))
    note = editor.hops.rows[0].note
    qtbot.waitUntil(lambda: "'many' is not a port" in note.whole())
    assert note.property("role") == "bad"
    assert editor.ok.isEnabled()


def test_hosts_of_ssh_config_complete_the_field(
    ssh_config: Path, edit: Callable[..., ProfileEditor], qtbot: QtBot
) -> None:
    editor = edit(blank())
    qtbot.waitUntil(lambda: editor.hops.names.stringList() == ["bastion", "inner"])
    completer = editor.hops.rows[0].host.completer()
    completer.setCompletionPrefix("NN")
    assert completer.currentCompletion() == "inner"


def test_whoever_wants_the_keyring_hears_that_there_is_none(
    edit: Callable[..., ProfileEditor], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spyglass.ui.fields.no_ring", lambda: "no system keyring found (none runs)")
    editor = edit(FULL)
    assert not editor.ring.isVisible()
    editor.cookie.setCurrentIndex(editor.cookie.findData("keyring"))
    qtbot.waitUntil(editor.ring.isVisible)
    assert editor.ring.text() == (
        "No system keyring found (none runs). The cookie is kept in memory until you quit."
    )
    editor.cookie.setCurrentIndex(editor.cookie.findData("auto"))
    assert not editor.ring.isVisible()


class Visits:
    """A doctor whose checks come when the test lets them."""

    def __init__(self) -> None:
        self.checks: queue.SimpleQueue[Check | None] = queue.SimpleQueue()
        self.profiles: list[Profile] = []
        self.ended = threading.Event()

    def __call__(self, profile: Profile, stop: Stop, tell: Callable[[str], None]) -> Iterator[Check]:
        self.profiles.append(profile)
        tell("Connecting to prod")
        try:
            with stop.ending(lambda: self.checks.put(None)):
                while (check := self.checks.get()) is not None:
                    yield check
        finally:
            self.ended.set()


@pytest.fixture
def trying(qtbot: QtBot) -> Iterator[tuple[ProfileEditor, Visits]]:
    visits = Visits()
    editor = ProfileEditor(FULL, fake.PROFILES, lambda _p: None, visit=visits)
    qtbot.addWidget(editor)
    editor.show()
    yield editor, visits
    visits.checks.put(None)


def _shown(editor: ProfileEditor) -> list[str]:
    return [line.accessibleName() for line in editor.trial.findChildren(Line) if line.isVisible()]


def test_the_doctors_checks_come_in_place_one_by_one(
    trying: tuple[ProfileEditor, Visits], qtbot: QtBot
) -> None:
    editor, visits = trying
    editor.test.click()
    qtbot.waitUntil(lambda: editor.trial.said.whole() == "Testing: connecting to prod")
    visits.checks.put(Check("bastion", "ok", "agent key"))
    qtbot.waitUntil(lambda: len(_shown(editor)) == 1)
    visits.checks.put(Check("keyring", "warn", "none", "Secrets stay in memory."))
    visits.checks.put(None)
    qtbot.waitUntil(lambda: editor.trial.said.whole() == "Tested: 1 worth a look")
    assert _shown(editor) == ["bastion: agent key.", "keyring: none. Secrets stay in memory."]
    assert (visits.profiles, editor.test.text()) == ([FULL], "Test")


def test_a_test_can_be_stopped_and_begun_again(trying: tuple[ProfileEditor, Visits], qtbot: QtBot) -> None:
    editor, visits = trying
    editor.test.click()
    qtbot.waitUntil(lambda: bool(visits.profiles))
    assert editor.test.text() == "Stop test"
    editor.test.click()
    assert visits.ended.wait(5)
    assert (editor.trial.said.whole(), editor.test.text()) == ("Test cancelled", "Test")
    visits.ended.clear()
    editor.test.click()
    visits.checks.put(Check("bastion", "bad", "refused", "Ask."))
    qtbot.waitUntil(lambda: _shown(editor) == ["bastion: refused. Ask."])


def test_closing_the_editor_ends_the_test(trying: tuple[ProfileEditor, Visits], qtbot: QtBot) -> None:
    editor, visits = trying
    editor.test.click()
    qtbot.waitUntil(lambda: bool(visits.profiles))
    editor.cancel.click()
    assert visits.ended.wait(5)


def test_a_profile_without_a_name_can_be_tried_but_not_one_without_a_host(qtbot: QtBot) -> None:
    editor = ProfileEditor(blank(), fake.PROFILES, lambda _p: None, visit=Visits())
    qtbot.addWidget(editor)
    assert not editor.test.isEnabled()
    editor.hops.rows[0].host.setText("prod")
    assert (editor.test.isEnabled(), editor.ok.isEnabled()) == (True, False)


def test_members_that_select_nothing_are_told_while_one_types(edit: Callable[..., ProfileEditor]) -> None:
    editor = edit(FULL)
    low = editor.members.height()
    editor.members.setPlainText("compose=shop/web\n\ncolour=red")
    assert editor.reason.text().startswith("Line 3: 'colour' selects nothing.")
    assert not editor.ok.isEnabled()
    [marked] = editor.members.extraSelections()
    assert marked.cursor.selectedText() == "colour=red"
    assert editor.members.property("wrong")
    assert editor.members.height() > low  # it grows with what is written
    editor.members.setPlainText("compose=shop/web\ndns=web.internal\nask-in=web")
    assert editor.ok.isEnabled()
    assert not editor.members.extraSelections()
    assert not editor.members.property("wrong")
    editor.members.setPlainText("dns=not a name")
    assert "'a' selects nothing" in editor.reason.text()
    editor.members.setPlainText("dns=-x")
    assert "is not a name that DNS knows" in editor.reason.text()
    assert len(editor.members.extraSelections()) == 1


def test_members_stand_a_condition_to_a_line(edit: Callable[..., ProfileEditor]) -> None:
    select = Selector(container="web", network_alias="shop", label=("tier=front", "a b=c"))
    editor = edit(replace(FULL, select=select))
    assert editor.members.toPlainText() == "label=tier=front\nlabel='a b=c'\nnetwork-alias=shop"
    assert editor.profile().select == select


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # the crash report's
def test_a_defect_ends_the_test_and_says_so(qtbot: QtBot) -> None:
    def visit(_profile: Profile, _stop: Stop, _tell: Callable[[str], None]) -> Iterator[Check]:
        yield Check("keyring", "ok", "answers")
        raise LookupError("a defect")

    editor = ProfileEditor(FULL, fake.PROFILES, lambda _p: None, visit=visit)
    qtbot.addWidget(editor)
    editor.show()
    editor.test.click()
    qtbot.waitUntil(lambda: not editor.trial.running)
    assert (editor.trial.said.whole(), editor.test.text()) == ("Stopped by a defect of Spyglass", "Test")


def test_what_lies_below_the_fold_is_named_and_one_click_away(edit: Callable[..., ProfileEditor]) -> None:
    editor = edit(FULL)
    fold = editor.fold
    assert editor.height() <= editor.screen().availableGeometry().height()
    assert not fold.more.isVisible()  # a large screen shows it all
    editor.resize(780, 560)
    assert fold.more.isVisible()
    assert fold.more.text().startswith("Below: ")
    assert fold.more.text().endswith("Observer, Own tools")
    for _ in range(4):
        fold.more.click()
    assert not fold.more.isVisible()
    assert fold.verticalScrollBar().value() == fold.verticalScrollBar().maximum()
