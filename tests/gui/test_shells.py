"""A shell on a node: in a terminal where there is one, else its command line is copied."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PySide6.QtGui import QGuiApplication

from spyglass import demo, desktop
from spyglass.cli.parser import build
from spyglass.desktop import terminal
from spyglass.store import paths
from support import fake_hub as fake
from support.xvfb import screen

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.ui.window import MainWindow


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    words: list[list[str]] = []
    monkeypatch.setattr(terminal, "run", words.append)
    return words


def test_the_terminal_runs_this_spyglass_in_this_set_up(
    window: MainWindow, ran: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_current", paths.under(tmp_path / "a place"))
    window.page.node_actions.shell(fake.SHOP, fake.THREE[0])
    [words] = ran
    ours = len(desktop.command())
    assert words[:ours] == desktop.command()
    options = build().parse_args(words[ours:])
    assert (options.profile_dir, options.target, options.node) == (
        str(tmp_path / "a place"),
        "Shop EU",
        "shop@172.17.0.4",
    )
    assert "A terminal opens" in window.page.footer.whole()


def test_the_usual_set_up_needs_no_directory(
    window: MainWindow, ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_current", paths.default())
    window.page.node_actions.shell(fake.SHOP, fake.THREE[0])
    assert ran[0][-3:] == ["shell", "Shop EU", "shop@172.17.0.4"]


def test_without_a_terminal_the_line_is_copied_and_that_is_said(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_current", paths.under(tmp_path))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", str(tmp_path))
    window.page.node_actions.shell(fake.SHOP, fake.THREE[0])
    line = f"spyglass shell --profile-dir={tmp_path} 'Shop EU' shop@172.17.0.4"
    assert QGuiApplication.clipboard().text() == line
    assert window.page.footer.whole().startswith("No terminal was found. The shell's command line is copied")


@pytest.mark.skipif(shutil.which("xterm") is None, reason="no terminal is installed")
def test_a_real_terminal_runs_the_words_and_is_no_child_of_ours(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "it's told"
    with screen() as display:
        for name, value in display.env.items():
            monkeypatch.setenv(name, value)
        code = "import os, sys; open(sys.argv[1], 'w').write(f'{os.isatty(0)} {sys.argv[2]}')"
        terminal.run([sys.executable, "-c", code, str(told), "two words; $HOME"])
        qtbot.waitUntil(lambda: told.exists() and told.read_text() != "", timeout=15_000)
    assert told.read_text() == "True two words; $HOME"
    assert os.environ["DISPLAY"] == display.env["DISPLAY"]


@pytest.mark.skipif(shutil.which("xterm") is None, reason="no terminal is installed")
def test_a_shell_in_a_real_terminal_is_on_the_node(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    with demo.start(paths.under(tmp_path / "set-up"), engine=False) as running, screen() as display:
        monkeypatch.setattr(paths, "_current", running.paths)
        for name, value in display.env.items():
            monkeypatch.setenv(name, value)
        node = replace(fake.THREE[0], node=running.node)
        window.page.node_actions.shell(running.profile, node)
        seen = display.wait(".", 30)
        text = f'file:write_file("{told}", atom_to_list(node())).'
        for _ in range(40):  # typed again until the shell is there to read it
            display._ask("xdotool", "type", "--window", seen, "--delay", "5", text)
            display._ask("xdotool", "key", "--window", seen, "Return")
            qtbot.wait(500)
            if told.exists():
                break
        assert told.read_text() == running.node
        display.close(seen)
        display.wait_gone(".", 20)
