"""The window over the laboratory's server: containers, a cluster, and what discovery finds of them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from support import xvfb
from support.lab import Lab
from support.lab.laptop import DEV

NODE = "shop@shop.internal"
_FIGURES = 24.0  # seconds that the figures are watched, so that there are lines
_LIMIT = 90.0  # seconds
_HOST = "\nHost prod-eu\n  HostName 10.99.0.1\n  Port 2222\n  User deploy\n  IdentityFile ~/.ssh/id_ed25519\n"


def in_the_lab(out: Path, scales: Sequence[str]) -> None:
    """Draw it at every scale at once; needs root and an installed Docker engine."""
    with Lab() as lab:
        for wanted in ("fleet", "desktop"):  # each is made when it is first asked for
            getattr(lab, wanted)
        with (lab.laptop.home / ".ssh/config").open("a") as config:
            config.write(_HOST)
        pictures = lab.laptop.home / "pictures"
        guests = []
        for scale in scales:
            env = {"SPYGLASS_SCENE": "server", "QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "offscreen"}
            env |= {"PYTHONPATH": str(Path(__file__).parents[1]), "HOME": f"{DEV.home}/{scale}"}
            lab.laptop.run(["mkdir", "-p", f"{DEV.home}/{scale}", f"{DEV.home}/pictures"], check=True)
            lab.laptop.run(["cp", "-r", f"{DEV.home}/.ssh", f"{DEV.home}/{scale}/"], check=True)
            words = [sys.executable, "-m", "support.screenshots", f"{DEV.home}/pictures"]
            guests.append(lab.laptop.popen(words, env=env))
        for guest in guests:
            _, complaints = guest.communicate(_LIMIT)
            if guest.popen.returncode:
                raise RuntimeError(complaints)
        for picture in pictures.iterdir():
            shutil.copy(picture, out)


def draw(out: Path) -> int:
    """On the laptop: connect, look for a while, draw; at 1x also Observer on a node in a container."""
    from spyglass.profile import Profile, SSHHop  # noqa: PLC0415 - the toolkit reads its scale when it comes
    from spyglass.status import Phase  # noqa: PLC0415
    from spyglass.store import paths  # noqa: PLC0415
    from spyglass.store.profiles import Profiles  # noqa: PLC0415
    from spyglass.ui import app as ui  # noqa: PLC0415
    from spyglass.ui import style  # noqa: PLC0415
    from support.play import Play, load_fonts, picture, rest, until  # noqa: PLC0415
    from support.stage import profiles  # noqa: PLC0415

    load_fonts()
    app = ui.application("light")
    store = Profiles(paths.current().profiles)
    store.add(Profile(name="Shop EU", group="Production", hops=(SSHHop("prod-eu"),)))
    for other in profiles()[1:]:
        store.add(other)
    paths.current().settings.write_text("welcomed = true\n")
    play = Play(app)
    try:
        play.begin("Shop EU", Phase.READY)
        window = play.show("Shop EU")
        rest(_FIGURES)
        node = play.node("Shop EU", NODE)
        if os.environ["QT_SCALE_FACTOR"] == "1":
            play.hub.observe(play.id("Shop EU"), node)
            until(lambda: play.status("Shop EU").observing, "Observer is open")
            screen = xvfb.Screen(int(os.environ["DISPLAY"].strip(":")))
            found = screen.wait(NODE)
            rest(4)  # it asks the node for its figures
            screen.picture(found, out / "server-observer@1x.png")
        window.page.nodes.select({node})
        for theme in ("light", "dark"):
            style.Theme.current.choose(theme)
            picture(window, out, "server", theme)
    finally:
        play.close()
    return 0
