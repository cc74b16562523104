"""Nodes' own addresses in the window: where they answer, to whom, what to type, and what to do when not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from spyglass.loopback.shared import explained
from spyglass.profile import Profile
from spyglass.status import Phase
from spyglass.ui import alias_words, questions
from spyglass.ui.alias_bar import FOR_TOOLS, INSTEAD, OWN_ADDRESS
from spyglass.ui.alias_editor import AliasEditor
from spyglass.ui.profile_editor import ProfileEditor
from support.alias_scenes import BLOCKED, HELD, LAB, NAMED, OPEN, status

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.ui.window import MainWindow
    from support import fake_hub as fake


@pytest.fixture
def lab(hub: fake.FakeHub, window: MainWindow) -> MainWindow:
    """The window with the profile lab chosen."""
    hub.add(LAB)
    window.reload(LAB.id)
    return window


def show(qtbot: QtBot, hub: fake.FakeHub, lab: MainWindow, *nodes: object) -> None:
    hub.publish(status(*nodes))  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: lab.page.status.nodes == nodes)


def hidden(lab: MainWindow, title: str) -> bool:
    table = lab.page.forwards if title == FOR_TOOLS else lab.page.nodes
    titles = [column.title for column in table.model_.columns]
    return table.isColumnHidden(titles.index(title))


def test_where_a_node_answers_stands_in_the_table_on_the_chain_and_in_a_bar(
    qtbot: QtBot, hub: fake.FakeHub, lab: MainWindow
) -> None:
    show(qtbot, hub, lab, OPEN)
    first = lab.page.chain.links()[0]

    assert alias_words.address(OPEN) == "127.0.0.2:19000"
    assert not hidden(lab, OWN_ADDRESS)
    assert not hidden(lab, FOR_TOOLS)
    assert first.detail.endswith("· 127.0.0.2")
    assert "127.0.0.2 belongs to profile lab: remotenode@127.0.0.2, port 19000" in first.facts
    assert lab.page.alias.isVisibleTo(lab)
    assert not lab.page.alias.retry.isVisibleTo(lab)
    assert "~/.erlang.cookie" in lab.page.alias.hint.text()


def test_what_to_type_is_copied_with_a_click(qtbot: QtBot, hub: fake.FakeHub, lab: MainWindow) -> None:
    show(qtbot, hub, lab, OPEN)
    qtbot.mouseClick(lab.page.alias.copy, Qt.MouseButton.LeftButton)

    assert OPEN.alias is not None
    assert QGuiApplication.clipboard().text() == OPEN.alias.command
    assert lab.page.footer.whole() == "The command is copied."
    QGuiApplication.clipboard().clear()
    menu = lab.page.node_menu([OPEN])
    next(action for action in menu.actions() if "own" in action.text()).trigger()
    assert QGuiApplication.clipboard().text() == OPEN.alias.command


def test_what_is_in_the_way_is_told_with_the_remedy_and_tried_again_by_a_click(
    qtbot: QtBot, hub: fake.FakeHub, lab: MainWindow
) -> None:
    show(qtbot, hub, lab, BLOCKED)
    bar = lab.page.alias
    assert "listens on port 4369 of all addresses" in bar.title.text()
    assert "127.0.0.1" in bar.hint.text()
    assert "-epmd_module spyglass_epmd" in bar.line.whole()
    qtbot.mouseClick(bar.retry, Qt.MouseButton.LeftButton)
    assert hub.calls[-1] == ("retry", LAB.id)
    show(qtbot, hub, lab, OPEN)
    assert not bar.retry.isVisibleTo(lab)


def test_the_chosen_node_is_told_of_and_what_was_closed_is_not_told_again(
    qtbot: QtBot, hub: fake.FakeHub, lab: MainWindow
) -> None:
    show(qtbot, hub, lab, OPEN, NAMED)
    bar = lab.page.alias
    assert bar.title.text().startswith(OPEN.node)
    lab.page.nodes.select({NAMED.key})
    assert bar.title.text().startswith(NAMED.node)
    qtbot.mouseClick(bar.close_button, Qt.MouseButton.LeftButton)
    hub.publish(replace(status(OPEN, NAMED), warnings=("something else",)))
    qtbot.waitUntil(lambda: lab.page.status.warnings == ("something else",))
    assert not bar.isVisibleTo(lab)
    lab.page.nodes.clearSelection()
    assert bar.title.text().startswith(OPEN.node)


def test_without_addresses_nothing_of_it_is_there(qtbot: QtBot, hub: fake.FakeHub, lab: MainWindow) -> None:
    show(qtbot, hub, lab, OPEN)
    assert hidden(lab, INSTEAD)
    show(qtbot, hub, lab, HELD)
    assert hidden(lab, OWN_ADDRESS)
    assert hidden(lab, FOR_TOOLS)
    assert not hidden(lab, INSTEAD)
    assert not lab.page.alias.isVisibleTo(lab)
    assert lab.page.chain.links()[0].detail == "OTP 27, wx 3.2"
    hub.publish(replace(status(OPEN), phase=Phase.WAITING))
    qtbot.waitUntil(lambda: lab.page.status.phase is Phase.WAITING)
    assert not lab.page.alias.isVisibleTo(lab)


def test_what_the_system_will_ask_is_explained_before_and_can_be_cancelled(qtbot: QtBot) -> None:
    dialog = questions.ConsentDialog(explained("172.17.0.4"), "lab")
    qtbot.addWidget(dialog)
    words = [label.text() for label in dialog.findChildren(QLabel)]

    assert any("172.17.0.4" in text for text in words)
    assert any("system asks for a password next" in text for text in words)
    assert {button.text() for button in dialog.findChildren(QPushButton)} == {"Cancel", "Continue"}


@pytest.mark.parametrize("alias", ["off", "auto", "127.0.0.9"])
def test_the_editor_shows_and_gives_what_the_profile_says(qtbot: QtBot, alias: str) -> None:
    editor = ProfileEditor(msgspec.structs.replace(LAB, alias=alias), [], print)
    qtbot.addWidget(editor)

    assert editor.profile().alias == alias


def test_the_editor_refuses_an_address_that_is_none(qtbot: QtBot) -> None:
    editor = ProfileEditor(LAB, [], print)
    qtbot.addWidget(editor)
    editor.own.choice.setCurrentIndex(2)
    QTest.keyClicks(editor.own.address, "web-1")

    assert not editor.ok.isEnabled()
    assert "web-1" in editor.reason.text()


def test_letting_in_every_user_is_warned_of_and_means_nothing_without_an_address(qtbot: QtBot) -> None:
    own = AliasEditor(Profile(name="lab", alias="auto"))
    qtbot.addWidget(own)
    assert not own.warning.isVisibleTo(own)
    own.everyone.setChecked(True)
    assert own.warning.isVisibleTo(own)
    assert own.fields() == {"alias": "auto", "alias_everyone": True}
    own.choice.setCurrentIndex(0)
    assert own.fields() == {"alias": "off", "alias_everyone": False}
    assert not own.warning.isVisibleTo(own)


def test_what_own_tools_means_can_be_read_to_its_end(qtbot: QtBot) -> None:
    editor = ProfileEditor(msgspec.structs.replace(LAB, alias_everyone=True), (), lambda _p: None)
    qtbot.addWidget(editor)
    editor.show()
    for label in (editor.own.what, editor.own.warning):
        assert label.width() > 400
        assert label.height() >= label.heightForWidth(label.width())
