"""What a person wants of the hub, wherever they say it: in the window or in the tray's menu."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Qt, Signal

from spyglass.errors import Failure
from spyglass.profile import parse_target
from spyglass.status import Phase
from spyglass.ui import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from PySide6.QtWidgets import QWidget

    from spyglass.profile import Profile
    from spyglass.questions import Consent
    from spyglass.status import NodeInfo, Status
    from spyglass.ui.bridge import HubLike, QuestionDesk
    from spyglass.ui.questions import ConsentDialog

QUICK = "Write a profile's name, or a host: prod1, deploy@prod1:22, prod1/container, tcp://prod1:2375."
"""What the quick-connect field takes."""
ENDED = frozenset({Phase.OFFLINE, Phase.FAILED})


class Wishes(QObject):
    """Passes wishes on; what the hub refuses at once is told by ``refused`` (a Failure)."""

    refused = Signal(object)
    remarked = Signal(str)

    def __init__(
        self, hub: HubLike, desk: QuestionDesk, unsaved: dict[str, Profile], window: QWidget
    ) -> None:
        super().__init__(window)
        self._hub = hub
        self._desk = desk
        self._unsaved = unsaved
        self._window = window
        self._confirmed: set[str] = set()
        self._greeted: set[str] = set()

    def do(self, call: Callable[..., object], *given: object) -> None:
        """Call something of the hub."""
        try:
            call(*given)
        except Failure as fault:
            self.refused.emit(fault)

    def meant(self, text: str, saved: Iterable[Profile]) -> Profile:
        """The profile that a TARGET means; one that is not saved counts for this run. Raises BadInput."""
        target = parse_target(text, {profile.name: profile for profile in saved})
        wanted = target.profile
        if target.saved:
            return wanted
        for known in self._unsaved.values():
            if known.hops == wanted.hops and known.select == wanted.select:
                return known
        made = msgspec.structs.replace(wanted, id=uuid.uuid4().hex)
        self._unsaved[made.id] = made
        return made

    def open(self, profile: Profile) -> None:
        """Connect, or try again, whichever fits; nothing while it is on its way."""
        phase = self._hub.status(profile.id).phase
        if phase is Phase.OFFLINE:
            self.do(self._hub.connect, self._unsaved.get(profile.id, profile.id))
        elif phase in {Phase.FAILED, Phase.WAITING}:
            self.do(self._hub.retry, profile.id)

    def begin(self, profile: Profile) -> None:
        """Connect at the start of the program: a question stops it, and puts up no dialog."""
        self.do(partial(self._hub.connect, profile.id, unattended=True))

    def stop(self, profile_id: str) -> None:
        """Cancel or disconnect; an open question of it is taken back."""
        self._desk.withdraw(profile_id)
        self.do(self._hub.disconnect, profile_id)

    def toggle(self, profile: Profile) -> None:
        """Connect what is offline, stop what is not."""
        if self._hub.status(profile.id).phase in ENDED:
            self.open(profile)
        else:
            self.stop(profile.id)

    # -- observing -----------------------------------------------------------------

    def observe(self, profile: Profile, node: NodeInfo) -> None:
        """Open Observer; on a production profile after a question, once for each connection."""
        self.observe_all(profile, (node,))

    def observe_all(self, profile: Profile, nodes: Sequence[NodeInfo]) -> None:
        """As :meth:`observe`, on each of these; in one window where the profile says so."""
        self._sure_of(profile, nodes, together=profile.observer.together)

    def together(self, profile: Profile, nodes: Sequence[NodeInfo] = ()) -> None:
        """One window with all nodes of the profile in its menu; it begins with one of these, or any."""
        status = self._hub.status(profile.id)
        able = [node for node in (*nodes, *status.nodes) if node.reachable]
        new = [node for node in able if node.key not in status.observing]
        if new:
            self._sure_of(profile, new, together=True)
        elif able:
            self.remarked.emit("Each node has its Observer already")
        else:
            self.remarked.emit("There is no node to observe yet")

    def _sure_of(self, profile: Profile, nodes: Sequence[NodeInfo], *, together: bool) -> None:
        then = partial(self._observe, profile, nodes[:1] if together else nodes, together=together)
        if not profile.production or profile.id in self._confirmed:
            then()
        else:
            several = "all nodes" if together else words.several(nodes)
            self._confirm(profile, several, then)

    def hear(self, status: Status) -> None:
        """Hear what becomes of connections: with the end of one its confirmation ends.

        Once it is connected, Observer opens by itself where the profile says so.
        """
        if status.phase in ENDED:
            self._confirmed.discard(status.profile_id)
            self._greeted.discard(status.profile_id)
        elif status.phase is Phase.READY and status.surveyed and status.profile_id not in self._greeted:
            self._greeted.add(status.profile_id)
            self._greet(status)

    def _greet(self, status: Status) -> None:
        """Open Observer on the one node there is; a production profile asks, so only where it is seen."""
        profile = next((p for p in self._hub.profiles() if p.id == status.profile_id), None)
        able = [node for node in status.nodes if node.reachable]
        if profile is None or not profile.observer.open or not able or status.observing:
            return
        one_window = len(able) == 1 or profile.observer.together
        if one_window and (not profile.production or self._window.isVisible()):
            self.observe(profile, able[0])

    def _observe(self, profile: Profile, nodes: Sequence[NodeInfo], *, together: bool) -> None:
        observing = self._hub.status(profile.id).observing
        new = [node for node in nodes if node.key not in observing]
        if new:
            others = ", with all nodes in its menu" if together else ""
            self.remarked.emit(f"Opening Observer on {words.several(new)}{others}")
        call = partial(self._hub.observe, company=together)
        for node in nodes:
            self.do(call, profile.id, node.key)

    def _confirm(self, profile: Profile, what: str, then: Callable[[], object]) -> None:
        from spyglass.questions import Consent  # noqa: PLC0415 - the window first

        text = (
            f"{profile.name} is marked as production. Observer shows what runs on the node, and can also "
            "end processes and change their state. This is asked once for each connection."
        )
        asked = Consent(f"Observe {what}?", text, "Observe", danger=True)
        consent(asked, self._window, lambda: self._sure(profile, then), profile.name)

    def _sure(self, profile: Profile, then: Callable[[], object]) -> None:
        if self._hub.status(profile.id).phase not in ENDED:
            self._confirmed.add(profile.id)
            then()


def consent(asked: Consent, window: QWidget, then: Callable[[], object], asker: str = "") -> ConsentDialog:
    """Ask over the window (by itself while that is hidden) and call ``then`` after a yes; does not wait."""
    from spyglass.ui.questions import ConsentDialog  # noqa: PLC0415 - the window first

    dialog = ConsentDialog(asked, asker, window if window.isVisible() else None)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(then)
    dialog.finished.connect(lambda _result, kept=dialog: kept)  # lives as long as it is on the screen
    dialog.open()
    return dialog
