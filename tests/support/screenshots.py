"""Renders each window and dialog, light and dark, at 1x and 2x.

``python -m support.screenshots OUTDIR [NAME…]``, with ``tests`` on PYTHONPATH.

Nothing is played that can be had: the app runs over its own hub against the demo's server and
node, further servers on loopback (``stage.py``), a keyring, a tray, and Observer on a display
that nobody sees. As root with a Docker engine installed, the laboratory's server with its
containers is drawn too. Each scale is a process of its own, since Qt reads it once.
``SPYGLASS_SCALES=3`` draws other scales than ``1 2``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support import guards, xvfb

if TYPE_CHECKING:
    from support.live_scene import Scene
    from support.play import Play
    from support.stage import Stage

_LIMIT = 150  # seconds for one scale
_RING = 'printf pictures | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec "$@"'
_HERE = Path(__file__).parents[1]


def main(argv: Sequence[str]) -> int:
    """Draw everything; the pictures whose names are given are all that is kept."""
    if os.environ.get("SPYGLASS_SCENE") == "stage":
        return _stage(Path(argv[0]), frozenset(argv[1:]))
    if os.environ.get("SPYGLASS_SCENE") == "server":
        from support import server_scene  # noqa: PLC0415 - the toolkit reads its scale when it comes

        return server_scene.draw(Path(argv[0]))
    out = Path(argv[0]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    for old in () if argv[1:] else out.glob("*.png"):
        old.unlink()
    scales = os.environ.get("SPYGLASS_SCALES", "1 2").split()
    for scale in scales:
        _on_loopback(out, scale, argv[1:])
    if os.geteuid() == 0 and shutil.which("dockerd") and (not argv[1:] or "server" in argv[1:]):
        from support import server_scene  # noqa: PLC0415 - as above

        server_scene.in_the_lab(out, scales)
    return 0


def _on_loopback(out: Path, scale: str, names: Sequence[str]) -> None:
    """A process with a home, a bus and a display of its own; as root, with nodes of its own only."""
    with tempfile.TemporaryDirectory(prefix="spyglass-pictures-") as home:
        env = dict(os.environ)
        guards.private_environment(Path(home), env)
        env |= {"QT_SCALE_FACTOR": scale, "GDK_SCALE": scale, "SPYGLASS_SCENE": "stage"}
        env |= {"PYTHONPATH": str(_HERE), "SHELL": "/bin/sh", "NO_AT_BRIDGE": "1", "QT_QPA_PLATFORM": "xcb"}
        env["LANG"] = "C.UTF-8"
        words = [sys.executable, "-m", "support.screenshots", str(out), *names]
        words = ["dbus-run-session", "--", "sh", "-c", _RING, "sh", *words]
        if os.geteuid() == 0:  # other people's nodes are not to be seen in the pictures
            apart = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"]
            words = [*apart, 'ip link set lo up; "$@"; exit $?', "sh", *words]
        subprocess.run(words, env=env, check=True, timeout=_LIMIT, stdin=subprocess.DEVNULL)


def _stage(out: Path, names: frozenset[str]) -> int:
    from support import stage  # noqa: PLC0415 - as above

    scale = float(os.environ["QT_SCALE_FACTOR"])
    with ExitStack() as stack:
        size = f"{round(1280 * scale)}x{round(860 * scale)}x24"
        screen = stack.enter_context(xvfb.screen(size))
        os.environ["DISPLAY"] = screen.env["DISPLAY"]
        stack.enter_context(_tray_host())
        made = stack.enter_context(stage.stage(Path(tempfile.mkdtemp(dir=Path.home()))))
        _Camera(screen, out, names).run(made)
    return 0


@contextmanager
def _tray_host() -> Iterator[None]:
    words = [sys.executable, str(_HERE / "support/sni_host.py")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
        assert host.stdout
        host.stdout.readline()  # it is there
        yield
        host.terminate()


class _Camera:
    """Goes from scene to scene, in both palettes."""

    def __init__(self, screen: xvfb.Screen, out: Path, names: frozenset[str]) -> None:
        from spyglass.ui import app as ui  # noqa: PLC0415 - the toolkit reads its scale when it comes
        from support.play import load_fonts  # noqa: PLC0415

        load_fonts()
        self._app = ui.application("light")
        self._screen, self._out, self._names = screen, out, names

    def run(self, made: Stage) -> None:
        """Everything."""
        from support import desk_scenes, live_scene  # noqa: PLC0415 - as above
        from support.play import Play  # noqa: PLC0415

        self._take(desk_scenes.first_run, self._app)
        _save_profiles()
        play = Play(self._app)
        try:
            live_scene.bring_about(play, made)
            for scenes in (live_scene.asked, live_scene.editing, desk_scenes.preferences, desk_scenes.sheets):
                self._take(scenes, play)
            live_scene.observe(play)
            for scenes in (live_scene.windows, live_scene.menus, desk_scenes.tray):
                self._take(scenes, play)
            self._observer(play)
            self._take(desk_scenes.crash)
            self._take(desk_scenes.played)
        finally:
            play.close()

    def _take(self, scenes: Callable[..., Iterator[Scene]], *given: object) -> None:
        from spyglass.ui import style  # noqa: PLC0415 - as above
        from support.play import picture, rest  # noqa: PLC0415

        for theme in ("light", "dark"):
            style.Theme.current.choose(theme)
            rest(0.05)
            for name, widget in scenes(*given):
                if not self._names or name in self._names:
                    picture(widget, self._out, name, theme)

    def _observer(self, play: Play) -> None:
        """The real one; it has a look of its own, and only one."""
        from support.live_scene import DEMO  # noqa: PLC0415 - as above

        play.window.hide()
        window = self._screen.wait(DEMO)
        self._screen.picture(window, self._out / f"observer@{os.environ['QT_SCALE_FACTOR']}x.png")
        play.window.show()


def _save_profiles() -> None:
    from spyglass.store import paths  # noqa: PLC0415 - as above
    from spyglass.store.profiles import Profiles  # noqa: PLC0415
    from support import stage  # noqa: PLC0415

    store = Profiles(paths.current().profiles)
    for profile in stage.profiles():
        store.add(profile)
    paths.current().settings.write_text("welcomed = true\nclose_to_tray_said = true\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
