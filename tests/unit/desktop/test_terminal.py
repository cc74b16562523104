import os
from pathlib import Path

import pytest

from spyglass.desktop import terminal
from spyglass.errors import Missing


def program(directory: Path, name: str, text: str = "exit 0") -> None:
    file = directory / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def test_the_desktops_own_choice_comes_first(tmp_path: Path) -> None:
    for name in ("xterm", "x-terminal-emulator"):
        program(tmp_path, name)
    environ = {"DISPLAY": ":1", "PATH": str(tmp_path)}
    assert terminal.words(["spyglass", "shell"], environ) == [
        f"{tmp_path}/x-terminal-emulator",
        "-e",
        "spyglass",
        "shell",
    ]


def test_without_a_terminal_or_a_display_it_says_so(tmp_path: Path) -> None:
    program(tmp_path, "xterm")
    for environ in ({"PATH": str(tmp_path)}, {"WAYLAND_DISPLAY": "w", "PATH": str(tmp_path / "none")}):
        with pytest.raises(Missing, match="No terminal was found"):
            terminal.words(["spyglass"], environ)


def test_the_words_reach_the_terminal_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fifo = tmp_path / "said"
    os.mkfifo(fifo)
    program(tmp_path, "xterm", f'printf "%s|" "$@" > {fifo}')
    monkeypatch.setattr(terminal, "_KNOWN", (("xterm", "-e"),))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("DISPLAY", ":1")
    terminal.run(["spyglass", "shell", "Shop EU"])
    assert fifo.read_text() == "-e|spyglass|shell|Shop EU|"
