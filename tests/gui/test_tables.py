from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from spyglass.ui.columns import FORWARDS, NODES
from spyglass.ui.log_view import LogModel
from spyglass.ui.nodes_model import NodeModel
from spyglass.ui.nodes_table import NodeTable
from spyglass.ui.profile_list import ProfileListModel
from support import fake_hub as fake

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

FATAL = QAbstractItemModelTester.FailureReportingMode.Fatal


def shown(table: NodeTable, column: int = 0) -> list[str]:
    model = table.model()
    return [model.index(row, column).data() for row in range(model.rowCount())]


@pytest.fixture
def table(qtbot: QtBot) -> NodeTable:
    made = NodeTable(NODES, "Nodes")
    qtbot.addWidget(made)
    return made


def test_the_models_keep_qts_rules(qapp: QApplication, hub: fake.FakeHub) -> None:
    nodes, profiles, log = NodeModel(NODES), ProfileListModel(hub.status), LogModel()
    testers = [QAbstractItemModelTester(model, FATAL) for model in (nodes, profiles, log)]
    nodes.show(fake.THREE)
    nodes.show(fake.crowd(20).nodes)
    nodes.show(fake.crowd(30).nodes)
    nodes.show(fake.crowd(10).nodes)
    nodes.show(())
    profiles.load(hub.profiles())
    profiles.search("shop")
    profiles.search("no such thing")
    assert len(testers) == 3


def test_a_node_shows_what_discovery_found(table: NodeTable) -> None:
    table.show_nodes(fake.refused().nodes, fake.refused().observing)
    told = [number for number, column in enumerate(NODES) if column.figure is None]
    rows = [[table.model().index(r, c).data() for c in told] for r in range(5)]
    assert rows[0] == ["shop@172.17.0.4", "web", "web:1.42.0", "26", "long", "RELEASE_COOKIE", "", "observed"]
    assert rows[2][-3:] == ["vm.args", "", "ready"]
    assert rows[4] == ["old@old-box", "host", "", "18", "short", ".erlang.cookie", "",
                       "speaks TLS, and no certificate is known"]  # fmt: skip


def test_the_selection_stays_when_nodes_change_and_come(table: NodeTable) -> None:
    table.show_nodes(fake.THREE)
    table.select({fake.THREE[1].key})
    table.show_nodes([replace(fake.THREE[0], otp="27"), *fake.THREE[1:], fake.node("new@10.0.0.9", "new")])
    assert [node.node for node in table.selected()] == ["shop@172.17.0.5"]
    table.show_nodes([fake.THREE[1], fake.THREE[2]])
    assert [node.node for node in table.selected()] == ["shop@172.17.0.5"]


def test_unchanged_nodes_are_not_drawn_anew(qapp: QApplication, qtbot: QtBot) -> None:
    model = NodeModel(NODES)
    model.show(fake.THREE)
    changed: list[int] = []
    model.dataChanged.connect(lambda first, _last: changed.append(first.row()))
    model.show([fake.THREE[0], replace(fake.THREE[1], otp="27"), fake.THREE[2]])
    model.show([fake.THREE[0], replace(fake.THREE[1], otp="27"), fake.THREE[2]])
    assert changed == [1]


def test_otp_releases_sort_as_numbers(table: NodeTable) -> None:
    nodes = [fake.node(f"n{otp}@h", otp=otp) for otp in ("27", "9", "24-27", "25")]
    table.show_nodes(nodes)
    table.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    assert shown(table, 3) == ["9", "24-27", "25", "27"]


def test_nodes_stand_as_found_until_somebody_sorts(table: NodeTable) -> None:
    table.show_nodes(reversed(fake.THREE))
    assert shown(table) == ["jobs@172.17.0.9", "shop@172.17.0.5", "shop@172.17.0.4"]


def test_forwards_tell_both_ends(qtbot: QtBot) -> None:
    table = NodeTable(FORWARDS, "Forwards")
    qtbot.addWidget(table)
    table.show_nodes(fake.THREE[:1])
    assert shown(table, 1) == ["127.0.0.1:40117"]
    assert shown(table, 3) == ["172.17.0.4:45011"]


def test_profiles_stand_below_their_groups(qapp: QApplication, hub: fake.FakeHub) -> None:
    model = ProfileListModel(hub.status)
    model.load(hub.profiles())
    rows = [model.index(row).data() for row in range(model.rowCount())]
    assert rows[:4] == ["Production", "Shop EU", "Billing", "Staging"]
    assert not model.flags(model.index(0)) & Qt.ItemFlag.ItemIsSelectable


@pytest.mark.parametrize(
    ("text", "found"),
    [("shop", ["Shop EU", "Shop staging"]), ("STAGE core", []), ("core@host1", ["Rancher hello"])],
)
def test_the_search_looks_at_names_and_ways(
    qapp: QApplication, hub: fake.FakeHub, text: str, found: list[str]
) -> None:
    model = ProfileListModel(hub.status)
    model.load(hub.profiles())
    model.search(text)
    rows = [model.index(row) for row in range(model.rowCount())]
    assert [row.data() for row in rows if model.profile_at(row)] == found


def test_only_the_row_that_looks_different_is_drawn_anew(qapp: QApplication, hub: fake.FakeHub) -> None:
    model = ProfileListModel(hub.status)
    model.load(hub.profiles())
    changed: list[str] = []
    model.dataChanged.connect(lambda first, _last: changed.append(first.data()))
    model.update_status(replace(fake.connected(), doing="something that the list does not show"))
    model.update_status(replace(fake.connected(), nodes=fake.THREE[:2]))
    assert changed == ["Shop EU"]


def test_a_profile_tells_a_screen_reader_its_state(qapp: QApplication, hub: fake.FakeHub) -> None:
    model = ProfileListModel(hub.status)
    model.load(hub.profiles())
    said = model.index_of(fake.BILLING.id).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Billing, stopped, bastion › 10.0.3.7 › billing"
