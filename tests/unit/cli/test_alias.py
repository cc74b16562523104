"""What `forward --alias` tells people to type, and what `helper` prints."""

from __future__ import annotations

import argparse

import pytest  # noqa: TC002 - for the type of a fixture

from spyglass.cli import alias
from spyglass.loopback import install


def test_helper_prints_commands_to_standard_output_and_words_to_the_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert alias.helper(argparse.Namespace()) == 0
    told = capsys.readouterr()

    assert told.out.splitlines() == install.commands()
    assert "sudo rm" in told.err
