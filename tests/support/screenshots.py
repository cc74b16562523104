"""Renders each window and dialog, light and dark, at 1x and 2x: ``python -m support.screenshots OUTDIR``.

Run from ``tests/``; needs no display. Each scale is a process of its own, since Qt reads
it once.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication, QWidget

from spyglass.doctor import Check
from spyglass.keeping import PLACES
from spyglass.log import Line, Ring
from spyglass.profile import ContainerHop, Profile, SSHHop
from spyglass.questions import Choice, Consent, HostKey, Question, Secret
from spyglass.status import Status
from spyglass.ui import app as ui
from spyglass.ui import questions
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.profile_editor import ProfileEditor, blank
from spyglass.ui.window import MainWindow
from support import alias_scenes, desk_scenes
from support import fake_hub as fake

_LOG = (
    (logging.INFO, "opening bastion (ops, agent key SHA256:9w…)"),
    (logging.INFO, "bastion ready, 18 ms"),
    (logging.INFO, "opening 10.0.3.7 through bastion"),
    (logging.ERROR, "host key of 10.0.3.7 differs from ~/.ssh/known_hosts:41, stopped"),
)


_COMES_TO = ("→ 10.99.0.1, user deploy, port 2222", "→ 10.0.3.7, user ops, port 2222, key id_billing", "")
KEY = "SHA256:q0x3Jd8mPz5w1yVhXb7kRt2sLfNc9gUe4aQoZiT6Hn8"
LEND = (
    "The node has no runtime_tools. Spyglass loads observer_backend and appmon_info into its memory "
    "and takes them back when the window closes."
)
NO_RING = "No system keyring found (the Secret Service daemon is neither running nor activatable)."
QUESTIONS: dict[str, Question] = {
    "hostkey": HostKey("deploy@prod-eu", "ssh-ed25519", KEY, "~/.ssh/known_hosts"),
    "password": Secret("password", "deploy@prod-eu", again=True, keep=PLACES, usual="keyring"),
    "passphrase": Secret("passphrase", "~/.ssh/id_ed25519", keep=PLACES[1:], why_not=NO_RING),
    "cookie": Secret("cookie", "shop@172.17.0.4", keep=PLACES),
    "code": Secret("keyboard-interactive", "prod-eu", "Two-factor code from your phone:", echo=True),
    "choice": Choice("Which node?", tuple(n.node for n in fake.THREE), ("web", "web-2", "jobs")),
    "consent": Consent("Lend modern@172.30.9.9 two modules?", LEND, "Lend and observe"),
}
REMOVE = Consent(
    "Remove the profile Shop EU?",
    "Its connection is closed, its file is removed, and its secrets leave the keyring. "
    "Servers and nodes stay as they are.",
    "Remove",
    danger=True,
)


_WATCHED = "20"  # seconds that a real node's figures are measured for


def ring() -> Ring:
    """Log lines as in the drawings."""
    made = Ring()
    for level, text in _LOG:
        made._lines.append(Line(fake.NOW, level, fake.BILLING.id, text))
    return made


def window(
    directory: Path, profile: Profile | None, status: Status | None = None, tab: int | None = None
) -> MainWindow:
    """The main window in one state."""
    hub = fake.scene() if profile else fake.FakeHub()
    if profile and profile not in fake.PROFILES:
        hub.add(profile)
    if status:
        hub.publish(status)
    settings = ui.sizes(Path(tempfile.mkdtemp(dir=directory)))
    made = MainWindow(hub, QuestionDesk(), ring(), settings, clock=lambda: fake.NOW)
    made.sidebar.choose(profile.id if profile else "")
    if tab is not None:
        made.page.tabs.setCurrentIndex(tab)
    made.page.nodes.select({"web/shop@172.17.0.4"})
    return made


def scenes(directory: Path) -> dict[str, Callable[[], QWidget]]:
    """Every picture by name."""
    return {
        "main": lambda: window(directory, fake.SHOP),
        "forwards": lambda: window(directory, fake.SHOP, tab=1),
        "refused": lambda: window(directory, fake.SHOP, fake.refused()),
        "troubled": lambda: window(directory, fake.SHOP, fake.troubled()),
        "crowd": lambda: window(directory, fake.SHOP, fake.crowd()),
        "failed": lambda: window(directory, fake.BILLING),
        "connecting": lambda: window(directory, fake.STAGING),
        "waiting": lambda: window(directory, fake.RANCHER),
        "long": lambda: window(directory, fake.LONG),
        "nothing": lambda: window(directory, fake.LOCAL),
        "offline": lambda: window(directory, fake.STAGING, Status(fake.STAGING.id)),
        "welcome": lambda: window(directory, None),
        "small": lambda: _sized(window(directory, fake.LONG), 860, 560),
        "menu": lambda: _menu(window(directory, fake.SHOP)),
        "editor": lambda: ProfileEditor(_winding(), fake.PROFILES, lambda p: p),
        "editor-test": _tried,
        "editor-new": lambda: ProfileEditor(blank(), fake.PROFILES, lambda p: p, title="New profile"),
        **{f"ask-{name}": partial(_ask, question) for name, question in QUESTIONS.items()},
        "ask-remove": lambda: questions.ConsentDialog(REMOVE),
        **desk_scenes.scenes(directory, window),
        **alias_scenes.scenes(lambda status: window(directory, alias_scenes.LAB, status)),
    }  # fmt: skip


def _winding() -> Profile:
    hops = (SSHHop("bastion"), SSHHop("10.0.3.7", "ops", 2222, "~/.ssh/id_billing"), ContainerHop("billing"))
    return Profile(name="Billing", id=fake.BILLING.id, group="Production", hops=hops, production=True)


def _tried() -> ProfileEditor:
    """The editor after a test that met a fault."""
    checks = (
        Check("keyring", "ok", "the system's keyring answers"),
        Check("bastion", "ok", "agent SHA256:9w2kXc, 18 ms"),
        Check("10.0.3.7", "bad", "Permission denied", "Tried: key ~/.ssh/id_billing. It accepts: publickey."),
    )
    made = ProfileEditor(_winding(), fake.PROFILES, lambda p: p, visit=lambda *_: iter(checks))
    made.hops._pause.stop()  # not by this computer's ssh_config
    for row, text in zip(made.hops.rows, _COMES_TO, strict=True):
        row.tell(text, wrong=False)
    if made.trial:
        made.trial.show()
        for check in checks:
            made.trial._came(check)
        made.trial._over("Done")
    return made


def _ask(question: Question) -> QWidget:
    return questions.dialog_for(question, "Shop EU")


def _sized(made: MainWindow, width: int, height: int) -> MainWindow:
    made.resize(width, height)
    return made


def _menu(made: MainWindow) -> QWidget:
    made.deleteLater()
    menu = made.page.node_menu(list(fake.THREE[:1]))
    menu.setParent(None)
    menu.move(QPoint(0, 0))
    return menu


def render(out: Path, only: tuple[str, ...]) -> None:
    """Write the pictures of this process's scale."""
    load_fonts()
    for theme in ("light", "dark"):
        app = ui.application(theme)
        with tempfile.TemporaryDirectory() as directory:
            for name, make in scenes(Path(directory)).items():
                if not only or name in only:
                    _picture(app, make(), out / scaled_name(name, theme))


def _picture(app: QApplication, widget: QWidget, path: Path) -> None:
    widget.show()
    for _ in range(4):
        app.processEvents()
    widget.grab().save(str(path))
    widget.close()
    widget.deleteLater()
    app.processEvents()


def scaled_name(name: str, theme: str) -> str:
    """The file of a picture at this process's scale."""
    return f"{name}-{theme}@{os.environ.get('QT_SCALE_FACTOR', '1')}x.png"


def load_fonts() -> None:
    """An application whose font is the same wherever pictures are made."""
    QApplication([])
    font = QFont("Inter") if "Inter" in QFontDatabase.families() else QFont()
    font.setPointSizeF(9.75)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    QApplication.setFont(font)


def main(argv: list[str]) -> int:
    """Render at 1x and 2x."""
    out = Path(argv[0])
    out.mkdir(parents=True, exist_ok=True)
    if os.environ.get("SPYGLASS_RENDER"):
        render(out, tuple(argv[1:]))
        return 0
    for scale in ("1", "2"):
        env = os.environ | {"SPYGLASS_RENDER": "1", "QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "offscreen"}
        subprocess.run([sys.executable, "-m", "support.screenshots", *argv], env=env, check=True)
        if not argv[1:] or "live" in argv[1:]:
            words = ["-m", "support.live_scene", str(out.resolve()), _WATCHED]
            subprocess.run([sys.executable, *words], env=env, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
