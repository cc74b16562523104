"""The tray's menu as a model, its shapes, and what is worth a notification; hosts are met in tests/lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from spyglass.profile import Observing, Profile, SSHHop
from spyglass.status import Phase, Status
from spyglass.ui import notices, palette, tray_icon, tray_menu
from spyglass.ui.tray_menu import TrayMenu
from support import fake_hub as fake

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from spyglass.ui.window import MainWindow


@pytest.fixture
def menu(window: MainWindow, qtbot: QtBot) -> TrayMenu:
    made = TrayMenu(window)
    qtbot.addWidget(made)
    return made


def texts(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if not action.isSeparator()]


def below(menu: QMenu, *path: str) -> QMenu:
    """The menu that these beginnings lead to."""
    for word in path:
        found = [a.menu() for a in menu.actions() if a.menu() is not None and a.text().startswith(word)]
        assert isinstance(found[0], QMenu)
        menu = found[0]
    return menu


def find(menu: QMenu, *path: str) -> QAction:
    """The action that these beginnings lead to."""
    here = below(menu, *path[:-1])
    return next(action for action in here.actions() if action.text().startswith(path[-1]))


def many(hub: fake.FakeHub, number: int) -> None:
    for n in range(number):
        hub.add(replace_profile(n))


def replace_profile(number: int) -> Profile:
    return Profile(name=f"Profile {number}", hops=(SSHHop(f"host{number}"),))


def test_the_menu_begins_with_the_state_and_ends_with_quit(menu: TrayMenu) -> None:
    assert texts(menu)[0] == "Billing needs you"
    assert not menu.actions()[0].isEnabled()
    assert texts(menu)[-4:] == ["Quick connect…", "Hide window", "Preferences…", "Quit"]


def test_each_profile_has_what_fits_its_state(menu: TrayMenu, hub: fake.FakeHub) -> None:
    assert texts(below(menu, "Shop EU")) == [
        *("Disconnect", "Observe all in one window", "shop@172.17.0.4", "shop@172.17.0.5"),
        *("jobs@172.17.0.9", "Show", "Log"),
    ]
    assert texts(below(menu, "Rancher"))[:2] == ["Retry now", "Cancel"]
    assert texts(below(menu, "Billing"))[0] == "Try again"
    find(menu, "Billing", "Try again").trigger()
    find(menu, "Shop staging", "Cancel").trigger()
    assert hub.calls == [("retry", fake.BILLING.id), ("disconnect", fake.STAGING.id)]


def test_a_node_can_be_observed_and_its_address_copied(menu: TrayMenu, hub: fake.FakeHub) -> None:
    find(menu, "Load test", "checkout", "Observe").trigger()
    assert hub.calls[0][:2] == ("observe", fake.LONG.id)
    find(menu, "Shop EU", "jobs@172.17.0.9", "Copy forward address").trigger()
    assert QGuiApplication.clipboard().text() == "127.0.0.1:40119"
    find(menu, "Shop EU", "shop@172.17.0.4", "Close Observer").trigger()
    assert hub.calls[-1] == ("close_window", fake.SHOP.id, fake.THREE[0].key)


def test_all_nodes_of_a_profile_open_in_one_window(menu: TrayMenu, hub: fake.FakeHub) -> None:
    find(menu, "Load test", "Observe all").trigger()
    first = hub.status(fake.LONG.id).nodes[0].key
    assert hub.calls == [("observe", fake.LONG.id, first, "company")]
    assert "Observe all in one window" not in texts(below(menu, "Local containers"))


def test_where_all_nodes_share_a_window_anyway_there_is_no_entry_of_its_own_for_that(
    menu: TrayMenu, hub: fake.FakeHub, window: MainWindow
) -> None:
    profile = replace(fake.LONG, observer=Observing(together=True))
    hub.replace(profile)
    window.reload(profile.id)
    menu.aboutToShow.emit()
    assert not [text for text in texts(below(menu, "Load test")) if "all" in text]
    assert not window.page.together.isVisible()
    find(menu, "Load test", "checkout", "Observe").trigger()
    assert hub.calls[-1][-1] == "company"


def test_log_shows_the_profiles_log_in_the_window(menu: TrayMenu, window: MainWindow) -> None:
    wishes: list[str] = []
    menu.wished.connect(wishes.append)
    find(menu, "Billing", "Log").trigger()
    assert window.page.profile == fake.BILLING
    assert window.page.tabs.currentIndex() == 2
    assert wishes == ["raise"]


def test_what_is_said_is_said_anew_when_somebody_looks(menu: TrayMenu, hub: fake.FakeHub) -> None:
    hub.publish(Status(fake.BILLING.id))
    menu.aboutToShow.emit()
    assert texts(menu)[0] == "Rancher hello is lost, trying again"
    assert texts(below(menu, "Billing"))[0] == "Connect"


def test_more_than_ten_profiles_go_one_menu_deeper(
    qtbot: QtBot, make_window: Callable[[fake.FakeHub], MainWindow]
) -> None:
    hub = fake.FakeHub()
    many(hub, 13)
    made = TrayMenu(make_window(hub))
    qtbot.addWidget(made)
    assert texts(made)[1:12] == [*(f"Profile {n}" for n in range(10)), "More profiles"]
    assert texts(below(made, "More profiles")) == ["Profile 10", "Profile 11", "Profile 12"]
    find(made, "More profiles", "Profile 12", "Connect").trigger()
    assert hub.calls[-1][0] == "connect"


def test_two_hundred_nodes_do_not_make_a_menu_that_fills_the_screen(
    menu: TrayMenu, hub: fake.FakeHub
) -> None:
    hub.publish(fake.crowd())
    menu.fill()
    there = texts(below(menu, "Shop EU"))
    assert len(there) == 2 + tray_menu.NODES + 1 + 2
    assert there[-3] == "More nodes"


def test_without_profiles_the_menu_offers_to_make_one(
    qtbot: QtBot, make_window: Callable[[fake.FakeHub], MainWindow]
) -> None:
    made = TrayMenu(make_window(fake.FakeHub()))
    qtbot.addWidget(made)
    assert texts(made)[:2] == ["Not connected", "New profile…"]


def test_an_ampersand_in_a_name_is_no_mnemonic(
    qtbot: QtBot, make_window: Callable[[fake.FakeHub], MainWindow]
) -> None:
    made = TrayMenu(make_window(fake.FakeHub([Profile(name="R&D", id="0" * 32)])))
    qtbot.addWidget(made)
    assert texts(made)[1] == "R&&D"


@pytest.mark.parametrize(
    ("statuses", "shape"),
    [
        ([], ""),
        ([Status("a", Phase.OFFLINE)], ""),
        ([Status("a", Phase.READY)], "ok"),
        ([Status("a", Phase.READY), Status("b", Phase.CONNECTING)], "busy"),
        ([Status("a", Phase.READY), Status("b", Phase.FAILED)], "bad"),
        ([Status("a", Phase.CONNECTING, question="Secret"), Status("b", Phase.FAILED)], "warn"),
    ],
    ids=["none", "offline", "on", "busy", "stopped", "asks"],
)
def test_one_shape_stands_for_all_connections(statuses: list[Status], shape: str) -> None:
    assert tray_icon.shape(statuses) == shape


def test_each_state_looks_different_without_colour(qtbot: QtBot) -> None:
    pictures = {
        bytes(tray_icon.pixmap(name, tray_icon.mask(), 22).toImage().constBits())
        for name in ("", "busy", "ok", "warn", "bad")
    }
    assert len(pictures) == 5


def test_light_and_dark_panels_get_colours_of_their_own(qtbot: QtBot) -> None:
    light, dark = (tray_icon.pixmap("ok", tokens, 22).toImage() for tokens in (palette.LIGHT, palette.DARK))
    assert light != dark


def test_changes_are_told_once() -> None:
    changes = notices.Changes()
    ready = fake.connected()
    first = changes.hear(ready, "Shop EU")
    assert first == notices.Notice("Shop EU is connected", "3 nodes there.", "ok")
    assert changes.hear(replace(ready, observing=frozenset()), "Shop EU") is None
    lost = changes.hear(replace(fake.waiting(), profile_id=ready.profile_id), "Shop EU")
    assert lost
    assert lost.title == "Shop EU is lost"
    assert changes.hear(replace(ready, phase=Phase.CONNECTING), "Shop EU") is None
    again = changes.hear(ready, "Shop EU")
    assert again
    assert again.title == "Shop EU is connected"


def test_what_the_person_ends_is_not_told() -> None:
    changes = notices.Changes()
    changes.hear(fake.connected(), "Shop EU")
    assert changes.hear(Status(fake.SHOP.id), "Shop EU") is None


def test_a_question_and_a_stop_are_told_with_what_to_do() -> None:
    changes = notices.Changes()
    asks = changes.hear(replace(fake.connecting(), question="Secret"), "Shop staging")
    assert asks
    assert (asks.title, asks.shape) == ("Shop staging needs you", "warn")
    stopped = changes.hear(fake.changed_key(), "Billing")
    assert stopped
    assert stopped.title == "Billing has stopped"
    assert stopped.text.startswith("10.0.3.7 shows another key")
