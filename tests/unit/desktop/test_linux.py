import configparser
import subprocess
from pathlib import Path

import pytest

from spyglass.desktop import linux


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/usr/bin/spyglass", "/usr/bin/spyglass"),
        ("--background", "--background"),
        ("/home/a b/spyglass", '"/home/a b/spyglass"'),
        ("100%", "100%%"),
        ('a"b', '"a\\\\"b"'),
        ("$HOME", '"\\\\$HOME"'),
        ("back\\slash", '"back\\\\\\\\slash"'),
        ("", '""'),
    ],
)
def test_a_word_of_an_exec_line_is_protected(word: str, written: str) -> None:
    assert linux.quoted(word) == written


def test_an_entry_is_valid_whatever_the_place(tmp_path: Path) -> None:
    file = tmp_path / "spyglass.desktop"
    file.write_text(linux.entry(["/opt/my apps/$pyglass", "--background"]))
    done = subprocess.run(["desktop-file-validate", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    read = configparser.ConfigParser(interpolation=None)
    read.read(file)
    assert read["Desktop Entry"]["Exec"] == '"/opt/my apps/\\\\$pyglass" --background'


@pytest.mark.parametrize(
    ("given", "place"), [("/elsewhere", "/elsewhere/autostart"), ("relative", "~"), ("", "~")]
)
def test_the_directory_follows_the_specification(
    given: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", given)
    monkeypatch.setenv("HOME", "/home/me")
    assert linux.autostart() == Path(place.replace("~", "/home/me/.config/autostart"))
