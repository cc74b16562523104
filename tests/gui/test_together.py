"""One Observer for all nodes of a profile, from wherever it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from spyglass.ui.questions import ConsentDialog
from support import fake_hub as fake

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from spyglass.status import NodeInfo
    from spyglass.ui.window import MainWindow


def asked(hub: fake.FakeHub) -> list[tuple[object, ...]]:
    return [call for call in hub.calls if call[0] == "observe"]


def calm(hub: fake.FakeHub, nodes: tuple[NodeInfo, ...] = fake.THREE) -> None:
    """A connection of a profile that is not production: nobody is asked before."""
    hub.publish(fake.connected(fake.LONG, nodes))


def test_the_button_over_the_table_opens_one_window_for_all(hub: fake.FakeHub, window: MainWindow) -> None:
    window.sidebar.choose(fake.LONG.id)
    page = window.page
    page.nodes.selectRow(2)
    assert page.together.accessibleName() == "Observe all nodes in one window"
    page.together.click()
    assert asked(hub) == [("observe", fake.LONG.id, page.status.nodes[2].key, "company")]
    assert page.footer.whole().endswith("with all nodes in its menu")


def test_one_node_alone_needs_no_such_button(hub: fake.FakeHub, window: MainWindow, qtbot: QtBot) -> None:
    assert window.page.together.isVisible()
    hub.publish(fake.connected(nodes=fake.THREE[:1]))
    qtbot.waitUntil(lambda: not window.page.together.isVisible())
    texts = [action.text() for action in window.page.node_menu([fake.THREE[0]]).actions()]
    assert not any("all in one" in text for text in texts)


def test_it_begins_with_a_node_that_has_no_window_yet(
    make_window: Callable[[fake.FakeHub], MainWindow], hub: fake.FakeHub, qtbot: QtBot
) -> None:
    calm(hub)
    window = make_window(hub)
    window.sidebar.choose(fake.LONG.id)
    menu = window.page.node_menu([fake.THREE[0]])  # it is observed
    next(action for action in menu.actions() if "all in one" in action.text()).trigger()
    assert asked(hub) == [("observe", fake.LONG.id, fake.THREE[1].key, "company")]
    every = frozenset(node.key for node in fake.THREE)
    hub.publish(replace(fake.connected(fake.LONG), observing=every))
    qtbot.waitUntil(lambda: window.page.status.observing == every)
    window.page.together.click()
    assert len(asked(hub)) == 1
    assert window.page.footer.whole() == "Each node has its Observer already"


def test_a_production_profile_asks_once_before(
    hub: fake.FakeHub, window: MainWindow, qapp: QApplication
) -> None:
    QTest.keyClick(
        window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert not asked(hub)
    dialog = next(w for w in qapp.topLevelWidgets() if isinstance(w, ConsentDialog) and w.isVisible())
    assert "Observe all nodes?" in dialog.accessibleName() + dialog.windowTitle() + _labels(dialog)
    dialog.accept()
    assert asked(hub) == [("observe", fake.SHOP.id, fake.THREE[1].key, "company")]


def _labels(dialog: ConsentDialog) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel))
