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
        """As :meth:`observe`, on each of these."""
        if not profile.production or profile.id in self._confirmed:
            self._observe(profile, nodes)
        else:
            self._confirm(profile, nodes)

    def together(self, profile: Profile, nodes: Sequence[NodeInfo]) -> None:
        """As :meth:`observe_all`, in one window with all nodes of the profile in its Nodes menu."""
        how = msgspec.structs.replace(profile.observer, together=True)
        self.observe_all(msgspec.structs.replace(profile, observer=how), nodes)

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

    def _observe(self, profile: Profile, nodes: Sequence[NodeInfo]) -> None:
        if profile.observer.together:
            nodes = nodes[:1]  # the others are in its menu
        observing = self._hub.status(profile.id).observing
        new = [node for node in nodes if node.key not in observing]
        if new:
            self.remarked.emit(f"Opening Observer on {words.several(new)}")
        call = partial(self._hub.observe, company=profile.observer.together)
        for node in nodes:
            self.do(call, profile.id, node.key)

    def _confirm(self, profile: Profile, nodes: Sequence[NodeInfo]) -> None:
        from spyglass.questions import Consent  # noqa: PLC0415 - the window first

        text = (
            f"{profile.name} is marked as production. Observer shows what runs on the node, and can also "
            "end processes and change their state. This is asked once for each connection."
        )
        asked = Consent(f"Observe {words.several(nodes)}?", text, "Observe", danger=True)
        consent(asked, self._window, lambda: self._sure(profile, nodes), profile.name)

    def _sure(self, profile: Profile, nodes: Sequence[NodeInfo]) -> None:
        if self._hub.status(profile.id).phase not in ENDED:
            self._confirmed.add(profile.id)
            self._observe(profile, nodes)


def consent(asked: Consent, window: QWidget, then: Callable[[], object], asker: str = "") -> ConsentDialog:
    """Ask over the window (by itself while that is hidden) and call ``then`` after a yes; does not wait."""
    from spyglass.ui.questions import ConsentDialog  # noqa: PLC0415 - the window first

    dialog = ConsentDialog(asked, asker, window if window.isVisible() else None)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(then)
    dialog.finished.connect(lambda _result, kept=dialog: kept)  # lives as long as it is on the screen
    dialog.open()
    return dialog
