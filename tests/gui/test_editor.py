from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from spyglass.errors import BadInput, Failure
from spyglass.profile import ContainerHop, Profile, Selector, SSHHop
from spyglass.ui.hop_editor import ContainerRow, SSHRow
from spyglass.ui.profile_editor import ProfileEditor, blank
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
    editor.cookie.setCurrentIndex(1)
    editor.production.setChecked(True)
    editor.autoconnect.setChecked(True)
    editor.ok.click()
    assert saved == [
        Profile(
            name="Shop US",
            hops=(SSHHop("prod-us", "deploy", 2200, "~/.ssh/us"), ContainerHop("web", "docker")),
            select=Selector("web-*", "shop@*"),
            group="Production",
            cookie="keyring",
            autoconnect=True,
            production=True,
        )
    ]


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
