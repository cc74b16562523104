import plistlib
from pathlib import Path

import pytest

from spyglass import APP_ID
from spyglass.desktop import macos


def test_the_agent_runs_the_words_at_login() -> None:
    read = plistlib.loads(macos.agent(["/Applications/Spyglass & Co", "--background"]).encode())
    assert read["ProgramArguments"] == ["/Applications/Spyglass & Co", "--background"]
    assert read["RunAtLoad"] is True
    assert read["Label"] == APP_ID


def test_agents_are_the_persons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/Users/me")
    assert macos.agents() == Path("/Users/me/Library/LaunchAgents")


def test_a_command_reaches_terminal_as_one_argument_and_never_as_script() -> None:
    words = macos.terminal(["spyglass", "shell", 'Shop "EU"; tell'])

    assert words[0] == "/usr/bin/osascript"
    assert words[-1] == """spyglass shell 'Shop "EU"; tell'"""
    assert not any("Shop" in word for word in words[:-1])
