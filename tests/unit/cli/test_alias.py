"""What `forward --alias` tells people to type, and what `helper` prints."""

from __future__ import annotations

import argparse
import sys

import pytest

from spyglass.cli import alias
from spyglass.loopback import install


def test_helper_prints_commands_to_standard_output_and_words_to_the_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert alias.helper(argparse.Namespace()) == 0
    told = capsys.readouterr()

    assert told.out.splitlines() == install.commands()
    assert "sudo rm" in told.err


@pytest.mark.parametrize(("system", "word"), [("darwin", "launchctl"), ("win32", "")])
def test_on_other_systems_it_tells_what_they_need(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, system: str, word: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert alias.helper(argparse.Namespace()) == 0
    told = capsys.readouterr()

    assert word in told.out
    assert "127.0.0" in told.err
