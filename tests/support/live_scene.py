"""The window over real connections: each scene is brought about, not played.

A scene is a name and what to draw; what comes after the ``yield`` puts things back.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from spyglass.status import Phase
from spyglass.ui.profile_editor import ProfileEditor
from spyglass.ui.questions import ConsentDialog
from spyglass.ui.wrong_key import WrongKeyDialog
from support.play import Play, rest, until
from support.stage import QUESTIONS, Stage

Scene = tuple[str, QWidget]

SHOP, BILLING, STAGING = "Shop EU", "Billing", "Shop staging"
LONG = "Load test of the whole checkout with a rather long name"
DEMO, LEGACY = "demo@127.0.0.1", "legacy@127.0.0.1"


def bring_about(play: Play, stage: Stage) -> None:
    """Each profile in the state that it is for."""
    play.begin(SHOP, Phase.READY)
    play.begin(BILLING, Phase.FAILED)
    play.popped_up(WrongKeyDialog).close()
    play.begin("Reports", Phase.READY)
    play.begin(LONG, Phase.READY)
    play.begin("Empty server", Phase.READY)
    stage.go_away()
    until(lambda: play.status("Reports").attempt > 1, "a try in vain")


def observe(play: Play) -> None:
    """Open Observer on the demo's node, after the question that a production profile asks."""
    play.show(SHOP)
    node = next(node for node in play.status(SHOP).nodes if node.node == DEMO)
    play.window.wishes.observe_all(play.window.page.profile, [node])
    dialog = play.popped_up(ConsentDialog)
    assert isinstance(dialog, ConsentDialog)
    dialog.accept()
    until(lambda: play.status(SHOP).observing, "Observer is open")


def windows(play: Play) -> Iterator[Scene]:
    """The window in each state of a connection."""
    window = play.show(SHOP)
    page = window.page
    page.nodes.select({play.node(SHOP, DEMO)})
    until(lambda: len(window.live._series.get(play.node(SHOP, DEMO), ())) > 2, "some figures")
    page._dismiss()
    yield "main", window
    page.tabs.setCurrentIndex(1)
    yield "forwards", window
    page.tabs.setCurrentIndex(2)
    yield "log", window
    play.show(SHOP)
    page._dismissed = None
    page.show_connection(page.profile, page.status, saved=True)
    yield "troubled", window
    window.show_profile(play.id(BILLING), log=True)
    yield "failed", window
    play.hub.disconnect(play.id(STAGING))
    until(lambda: play.status(STAGING).phase is Phase.OFFLINE, "offline")
    play.begin(STAGING, Phase.CONNECTING)
    play.show(STAGING)
    until(lambda: play.status(STAGING).chain[2].state == "busy", "on its way to the second server")
    yield "connecting", window
    for name, profile in (("waiting", "Reports"), ("nothing", "Empty server"), ("offline", "Archive")):
        yield name, play.show(profile)
    yield from _sizes(play)
    yield from _refusals(play)


def _sizes(play: Play) -> Iterator[Scene]:
    window, size = play.show(LONG), play.window.size()
    until(lambda: window.live._series, "some figures")
    yield "long", window
    window.resize(window.minimumSize())
    rest(0.2)
    yield "small", window
    window.resize(size)
    rest(0.2)


def _refusals(play: Play) -> Iterator[Scene]:
    window = play.show(SHOP)
    window.quick.setText("deploy@two words")
    window.connect_quick()
    yield "not-a-host", window
    window.quick.clear()
    window.sidebar.search.setText("no such profile")
    rest(0.2)
    yield "not-found", window
    window.sidebar.search.clear()


def asked(play: Play) -> Iterator[Scene]:
    """Every question, asked by whom it belongs to."""
    for name, profile in QUESTIONS.items():
        with play.visitor(profile):
            yield name, play.asked()
    yield from _second_tries(play)
    play.hub.retry(play.id(BILLING))
    changed = play.popped_up(WrongKeyDialog)
    yield "wrong-key", changed
    changed.close()
    play.show(SHOP)
    play.hub.observe(play.id(SHOP), play.node(SHOP, LEGACY))
    dialog = play.asked()
    yield "ask-lend", dialog
    dialog.reject()
    until(lambda: play.status(SHOP).troubles, "what comes of a no")
    demo = next(node for node in play.status(SHOP).nodes if node.node == DEMO)
    play.window.wishes.observe_all(play.window.page.profile, [demo])
    yield from _consent(play, "ask-production")
    play.window.changes.remove()
    yield from _consent(play, "ask-remove")
    play.presence.quit()
    yield from _consent(play, "ask-quit")
    if play.presence.hides:
        play.presence.keep(close_to_tray_said=False)
        play.presence.closing()
        yield from _consent(play, "ask-tray")


def _second_tries(play: Play) -> Iterator[Scene]:
    with play.visitor(QUESTIONS["ask-password"]):
        first = play.asked()
        first.field.setText("wrong")  # type: ignore[attr-defined]
        first.answer = "wrong"  # type: ignore[attr-defined]
        first.accept()
        until(lambda: play.window.questions.dialog not in {None, first}, "it asks again")
        yield "ask-password-again", play.asked()


def _consent(play: Play, name: str) -> Iterator[Scene]:
    dialog = play.popped_up(ConsentDialog)
    yield name, dialog
    dialog.close()
    rest(0.05)


def editing(play: Play) -> Iterator[Scene]:
    """The editor: what ssh_config makes of each hop, a test that works and one that does not, faults."""
    for name, profile in (("editor-test", SHOP), ("editor-fault", BILLING)):
        play.show(profile)
        play.window.changes.edit()
        editor = _editor(play)
        until(partial(_resolved, editor), "the hops are resolved")
        if profile == BILLING:
            yield "editor", editor
        editor.test.click()
        until(partial(_tested, editor), "the test is over")
        yield name, editor
        editor.reject()
    play.window.changes.new()
    editor = _editor(play)
    yield "editor-new", editor
    editor.name.setText(SHOP)
    editor.hops.rows[0].first.setText("prod-eu")  # type: ignore[attr-defined]
    editor.cookie.setCurrentIndex(2)
    rest(0.5)
    yield "editor-wrong", editor
    editor.reject()


def _resolved(editor: ProfileEditor) -> bool:
    return all(row.note.isVisible() for row in editor.hops.rows)


def _tested(editor: ProfileEditor) -> bool:
    return editor.trial is not None and not editor.trial.running


def _editor(play: Play) -> ProfileEditor:
    found = play.popped_up(ProfileEditor)
    assert isinstance(found, ProfileEditor)
    return found


def menus(play: Play) -> Iterator[Scene]:
    """What a right click gives."""
    window = play.show(SHOP)
    nodes = [node for node in play.status(SHOP).nodes if node.node == DEMO]
    menu = window.page.node_menu(nodes)
    menu.popup(QPoint(40, 40))
    yield "menu-node", menu
    menu.close()
    menu.deleteLater()
    rest(0.05)
    window.commands.pop_up(window.sidebar.list.visualRect(window.sidebar.list.currentIndex()).center())
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu)
    yield "menu-profile", popup
    popup.close()
