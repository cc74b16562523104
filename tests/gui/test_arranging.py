"""Profiles are put in order by dragging and by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QModelIndex, Qt, QUrl
from PySide6.QtTest import QTest

from spyglass.profile import Profile
from spyglass.ui import arranging
from spyglass.ui.arranging import Row
from spyglass.ui.window import MainWindow
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def names(window: MainWindow) -> list[str]:
    """The rows: headings in brackets."""
    rows = (
        window.model.data(window.model.index(n), Qt.ItemDataRole.UserRole)
        for n in range(window.model.rowCount())
    )
    return [row.profile.name if row.profile else f"[{row.heading}]" for row in rows]


def drop(window: MainWindow, profile: Profile, row: int, onto: QModelIndex | None = None) -> None:
    data = window.model.mimeData([window.model.index_of(profile.id)])
    window.model.dropMimeData(data, Qt.DropAction.MoveAction, row, 0, onto or QModelIndex())


def test_a_profile_is_dragged_within_its_group(hub: fake.FakeHub, window: MainWindow) -> None:
    drop(window, fake.LONG, 4)  # before Shop staging
    assert [name for name, *_ in hub.calls] == ["arrange"]
    assert names(window)[3:7] == ["[Staging]", fake.LONG.name, "Shop staging", "Rancher hello"]
    assert window.page.profile == fake.LONG


def test_a_profile_is_dragged_into_another_group(hub: fake.FakeHub, window: MainWindow) -> None:
    drop(window, fake.BILLING, -1, window.model.index(3))  # onto the heading Staging
    assert names(window)[:5] == ["[Production]", "Shop EU", "[Staging]", "Billing", "Shop staging"]
    assert window.model.profile_at(window.model.index(3)).group == "Staging"  # type: ignore[union-attr]


def test_a_drop_beside_the_rows_puts_it_last(window: MainWindow) -> None:
    drop(window, fake.SHOP, -1)
    assert names(window)[-2:] == ["Local containers", "Shop EU"]


def test_a_drop_on_its_own_place_changes_nothing(hub: fake.FakeHub, window: MainWindow) -> None:
    drop(window, fake.BILLING, 2)
    drop(window, fake.BILLING, 3)
    assert hub.calls == []


def test_in_a_narrowed_list_it_goes_beside_its_neighbour(hub: fake.FakeHub, window: MainWindow) -> None:
    window.sidebar.search.setText("o")  # Billing has none, and Rancher stands last of Staging but one
    drop(window, fake.RANCHER, 1 + names(window).index("[Staging]"))
    window.sidebar.search.clear()
    assert names(window)[3:7] == ["[Staging]", "Rancher hello", "Shop staging", fake.LONG.name]


def test_files_are_not_taken_by_the_list(window: MainWindow) -> None:
    data = QMimeData()
    data.setUrls([QUrl("file:///tmp/shop.toml")])
    assert not window.model.canDropMimeData(data, Qt.DropAction.MoveAction, 0, 0, QModelIndex())


def test_what_is_not_saved_stays_where_it_is(hub: fake.FakeHub, window: MainWindow) -> None:
    window.quick.setText("deploy@prod9")
    window.connect_quick()
    [profile] = window.unsaved.values()
    flags = window.model.flags(window.model.index_of(profile.id))
    assert not flags & Qt.ItemFlag.ItemIsDragEnabled
    hub.calls.clear()
    drop(window, fake.SHOP, window.model.rowCount())
    assert hub.calls == []


def test_keys_move_a_profile_step_by_step_and_over_the_edge_of_its_group(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.sidebar.choose(fake.SHOP.id)
    qtbot.waitUntil(window.isActiveWindow)
    for keys, row in ((Qt.Key.Key_Down, 2), (Qt.Key.Key_Down, 3), (Qt.Key.Key_Up, 2), (Qt.Key.Key_Up, 1)):
        QTest.keyClick(window.sidebar.list, keys, Qt.KeyboardModifier.AltModifier)
        assert names(window).index("Shop EU") == row
        assert window.page.profile.id == fake.SHOP.id
    QTest.keyClick(window.sidebar.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert names(window)[:2] == ["[Production]", "Shop EU"]


@pytest.mark.parametrize("at", range(12))
def test_a_move_keeps_every_profile(at: int) -> None:
    there = ("Production", fake.SHOP, fake.BILLING, "Staging", fake.STAGING)
    rows = [Row(heading=one) if isinstance(one, str) else Row(profile=one) for one in there]
    saved = [fake.SHOP, fake.BILLING, fake.STAGING]
    made = arranging.move(rows, saved, fake.BILLING.id, at)
    assert made is None or sorted(made.order) == sorted(p.id for p in saved)
