import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from spyglass import cli
from spyglass.cli import commands, entry
from spyglass.cli.parser import parse
from spyglass.control import claim
from spyglass.control.server import Server
from spyglass.errors import Cancelled, Denied
from spyglass.store import paths
from support.fake_hub import FakeHub

SECOND_START = """
import __future__, contextlib, fcntl, gc, json, pathlib, socket, sys, typing
allowed = {*sys.modules}
from spyglass.__main__ import main
print(main(), *sorted({*sys.modules} - allowed))
"""
"""Hands over; prints what it has imported beyond these few of Python's own."""


@pytest.fixture(autouse=True)
def own_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "_current", paths.under(tmp_path))
    monkeypatch.setattr(entry.signal, "signal", lambda *_a: None)


def end(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def command(_options: Any) -> int:
        raise error

    monkeypatch.setitem(commands.COMMANDS, "nodes", command)
    return cli.main(["nodes", "prod"])


def test_a_failure_is_status_1_with_title_and_hint(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    assert end(monkeypatch, Denied("prod refused deploy", "Check the key.")) == 1
    assert capsys.readouterr().err == "prod refused deploy\n  Check the key.\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Cancelled()])
def test_interrupted_is_status_130(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    assert end(monkeypatch, error) == 130


@pytest.mark.parametrize("argv", [["nodes"], ["unknown"], ["rpc", "prod", "a@h", "erlang"], ["profiles"]])
def test_wrong_usage_is_status_2(argv: list[str], capsys: Any) -> None:
    assert cli.main(argv) == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["", "nodes", "observe", "shell", "rpc", "forward", "doctor", "profiles", "demo"]
)
def test_every_command_has_help(name: str, capsys: Any) -> None:
    assert cli.main([*([name] if name else []), "--help"]) == 0
    assert "usage: spyglass" in capsys.readouterr().out


def test_profile_dir_is_taken_before_and_after_the_subcommand(tmp_path: Path, capsys: Any) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert cli.main(["--profile-dir", str(elsewhere), "profiles", "add", "shop", "deploy@prod"]) == 0
    assert cli.main(["profiles", "list", "--profile-dir", str(elsewhere)]) == 0
    assert "deploy@prod" in capsys.readouterr().out


def test_a_target_that_is_neither_profile_nor_host(capsys: Any) -> None:
    assert cli.main(["nodes", "two words", "--batch"]) == 1
    assert "is neither a saved profile nor a host" in capsys.readouterr().err


def test_a_selector_that_could_fit_nothing_is_refused_before_any_connection(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(commands.Hub, "connect", lambda *_a: pytest.fail("connected"))
    assert cli.main(["nodes", "prod", "--batch", "--compose", "a/b/c"]) == 1
    title, hint = capsys.readouterr().err.splitlines()
    assert title == "'a/b/c' names no service"
    assert hint.strip() == "Write PROJECT/SERVICE, or SERVICE alone: the field `compose`."


def test_a_defect_is_told_in_words_and_its_trace_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    assert end(monkeypatch, ZeroDivisionError("oh")) == 1
    file = tmp_path / "state/crash.txt"
    assert "Traceback" not in (told := capsys.readouterr().err)
    assert told.startswith(f"Spyglass met a defect of its own\n  The report is in {file};")
    assert "ZeroDivisionError: oh" in file.read_text()


def test_a_second_start_hands_over_and_imports_next_to_nothing(tmp_path: Path) -> None:
    made = claim.claim(paths.under(tmp_path).ensure().runtime)
    assert made
    came: list[list[str]] = []
    with closing(made), Server(made, FakeHub(), lambda words, _token: came.append(words), lambda: None):
        words = [f"--profile-dir={tmp_path}", "--new-profile"]
        done = subprocess.run(
            [sys.executable, "-c", SECOND_START, *words],
            env={"PYTHONPATH": str(Path(cli.__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    assert came == [words]
    own = ("", ".__main__", ".control", ".control.claim", ".control.client", ".control.wire")
    own += (".errors", ".store", ".store.paths")
    assert done.stdout.split() == ["0", *(f"spyglass{name}" for name in own)]


@pytest.mark.parametrize("words", ["lab --all a@b", "lab a@b --all", "--all lab a@b"])
def test_a_node_may_come_after_an_option(words: str) -> None:
    options = parse(["observe", *words.split()])
    assert (options.target, options.node, options.all) == ("lab", "a@b", True)


def test_what_holds_until_ctrl_c_says_why_there_is_nothing_yet(tmp_path: Path) -> None:
    words = ["--profile-dir", str(tmp_path), "forward", "127.0.0.1:1", "--batch"]
    command = [sys.executable, "-m", "spyglass", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        process.terminate()
        assert process.wait(10) == 130
    assert said == "127.0.0.1:1 refuses connections. It is tried again and again, until Ctrl-C.\n"


def test_terms_may_come_after_an_option() -> None:
    assert parse(["rpc", "lab", "a", "m", "f", "--batch", "one", "two"]).args == ["one", "two"]
