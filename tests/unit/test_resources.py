"""What desktops read of us is valid, says the same everywhere, and follows from the command line."""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

from spyglass import APP_ID, __version__
from spyglass.cli.parser import build

ROOT = Path(__file__).parents[2]
RESOURCES = ROOT / "resources"
DESKTOP = RESOURCES / f"{APP_ID}.desktop"
METAINFO = RESOURCES / f"{APP_ID}.metainfo.xml"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "packaging/generate.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def entry() -> configparser.ConfigParser:
    made = configparser.ConfigParser(interpolation=None)
    made.optionxform = str  # type: ignore[assignment,method-assign]
    made.read(DESKTOP)
    return made


def run(*argv: str | Path, stdin: str = "") -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, input=stdin, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_desktop_entry_is_valid_without_a_remark() -> None:
    assert run("desktop-file-validate", DESKTOP) == ""


def test_the_metainfo_is_valid() -> None:
    run("appstreamcli", "validate", "--no-net", METAINFO)


def test_one_name_stands_everywhere(entry: configparser.ConfigParser) -> None:
    tree = ET.parse(METAINFO)
    assert tree.findtext("id") == APP_ID
    assert tree.findtext("launchable") == DESKTOP.name
    assert entry["Desktop Entry"]["StartupWMClass"] == entry["Desktop Entry"]["Icon"] == APP_ID
    assert (RESOURCES / "icons" / f"{APP_ID}.svg").exists()


def test_the_metainfo_speaks_of_this_version() -> None:
    releases = ET.parse(METAINFO).findall("releases/release")
    assert releases[0].get("version") == __version__


def test_the_pictures_of_the_metainfo_are_there_and_as_large_as_it_says() -> None:
    tree = ET.parse(METAINFO)
    images = tree.findall("screenshots/screenshot/image")
    assert len(images) == 3
    for image in images:
        raw, _, name = str(image.text).rpartition("/")
        assert raw == f"{tree.findtext('url')}/raw/main/resources/screenshots"
        head = (RESOURCES / "screenshots" / name).read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        size = tuple(int.from_bytes(head[at : at + 4], "big") for at in (16, 20))  # IHDR: width, height
        assert size == (int(image.get("width", 0)), int(image.get("height", 0)))


def test_the_readme_shows_each_picture_that_is_kept() -> None:
    shown = set(re.findall(r"\(resources/screenshots/([^)]+)\)", (ROOT / "README.md").read_text()))
    assert shown == {file.name for file in (RESOURCES / "screenshots").iterdir()}


def test_each_action_of_the_desktop_entry_runs_words_that_we_know(entry: configparser.ConfigParser) -> None:
    actions = entry["Desktop Entry"]["Actions"].strip(";").split(";")
    commands = [entry[f"Desktop Action {name}"]["Exec"].split() for name in actions]
    assert [command[0] for command in commands] == ["spyglass"] * 4
    for command in commands:
        build().parse_args(command[1:])


def test_man_page_and_completions_are_what_the_grammar_gives(generate: ModuleType) -> None:
    stale = [name for name, text in generate.files().items() if (RESOURCES / name).read_text() != text]
    assert stale == [], "run packaging/generate.py"


def test_every_subcommand_is_in_what_is_made(generate: ModuleType) -> None:
    leaves = [words for words, _, _ in generate.leaves(build())]
    man, fish = ((RESOURCES / name).read_text() for name in ("spyglass.1", "completions/spyglass.fish"))
    assert ("profiles", "import") in leaves
    assert [words for words in leaves if f".SS {' '.join(words)}\n" not in man] == []
    assert [words for words in leaves if f" -a {words[-1]} -d " not in fish] == []


def completed(tmp_path: Path, *words: str) -> list[str]:
    """What bash completes the last word to; `spyglass profiles list` is played."""
    played = tmp_path / "spyglass"
    played.write_text(
        "#!/bin/sh\nprintf 'NAME     GROUP  WAY\\nlab one         deploy@h\\nother           deploy@i\\n'\n"
    )
    played.chmod(0o755)
    script = f"""
        PATH={tmp_path}:$PATH
        source {RESOURCES}/completions/spyglass.bash
        COMP_WORDS=({" ".join(f"'{word}'" for word in ("spyglass", *words))}); COMP_CWORD={len(words)}
        _shtab_spyglass; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return run("bash", "--norc", "-c", script).split("\n")[:-1]


def test_bash_completes_subcommands_options_and_profiles(tmp_path: Path) -> None:
    assert completed(tmp_path, "obs") == ["observe"]
    assert completed(tmp_path, "status", "--js") == ["--json"]
    assert completed(tmp_path, "connect", "") == ["lab one", "other"]
    assert completed(tmp_path, "connect", "o") == ["other"]


@pytest.mark.parametrize("columns", ["20", "200"])
def test_the_man_page_does_not_depend_on_the_terminal(
    generate: ModuleType, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", columns)
    assert generate.files()["spyglass.1"] == (RESOURCES / "spyglass.1").read_text()
