from __future__ import annotations

from pathlib import Path

import pytest

from spyglass.store.choices import Choices


def test_a_choice_outlives_the_run(tmp_path: Path) -> None:
    file = tmp_path / "state" / "kept.json"
    Choices(file).set("p1", "password", "ask")
    assert Choices(file).get("p1", "password") == "ask"
    assert Choices(file).get("p1", "cookie") == ""


def test_a_dropped_profile_is_forgotten(tmp_path: Path) -> None:
    choices = Choices(tmp_path / "kept.json")
    choices.set("p1", "password", "ask")
    choices.set("p2", "password", "run")
    choices.drop("p1")
    assert (choices.get("p1", "password"), choices.get("p2", "password")) == ("", "run")


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"p1": 7}', '{"p1": {"password": "plaintext"}}'])
def test_a_file_that_makes_no_sense_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kept.json"
    file.write_text(text)
    choices = Choices(file)
    assert choices.get("p1", "password") == ""
    choices.set("p1", "password", "run")
    assert Choices(file).get("p1", "password") == "run"


def test_without_a_file_it_lasts_as_long_as_the_program() -> None:
    choices = Choices()
    choices.set("p1", "password", "ask")
    assert choices.get("p1", "password") == "ask"


def test_a_place_that_cannot_be_written_changes_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    choices = Choices(tmp_path / "file" / "kept.json")
    choices.set("p1", "password", "ask")
    assert choices.get("p1", "password") == "ask"
