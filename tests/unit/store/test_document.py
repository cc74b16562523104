"""TOML documents: faults are told with the line or the field."""

from __future__ import annotations

import msgspec
import pytest

from spyglass.errors import BadInput
from spyglass.profile import Profile
from spyglass.store import document


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"name = 'a'\nhops = [\n", "web.toml, line 2 (the end): invalid value"),
        (
            b"name = 'a'\nport 22\n",
            "web.toml, line 2, column 6: expected '=' after a key in a key/value pair",
        ),
        (b"a = 1\na = 2\nb = 3", "web.toml, line 2, column 6: cannot overwrite a value"),
        (b"a = 1\nb = '\xff'\n", "web.toml, line 2: it is not UTF-8 text"),
        (b"a = " + b"[" * 5000, "web.toml is nested too deeply"),
    ],
)
def test_broken_syntax_names_the_line(data: bytes, title: str) -> None:
    with pytest.raises(BadInput) as caught:
        document.table(data, "web.toml")

    assert caught.value.title == title
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "title", "hint"),
    [
        ("", "the file lacks the field `name`", "Add it."),
        ("name = 1", "the field `name`: expected text, got a number", "Correct the field `name`."),
        ("name = 'a'\nnam = 'b'", "the file has an unknown field `nam`", "Is `name` meant?"),
        ("name = 'a'\nzzz = 'b'", "the file has an unknown field `zzz`", "Remove it."),
        ("name = 'a'\nid = 'x'", "the field `id`: it is not of the right form", "Correct the field `id`."),
        ("name = 'a'\nautoconnect = 1", "the field `autoconnect`: expected true or false, got a number", ""),
        ("name = 'a'\nhops = 3", "the field `hops`: expected a list, got a number", ""),
        ("name = 'a'\nhops = [3]", "hop 1: expected a table, got a number", "Correct hop 1."),
        ("name = 'a'\nhops = [{host = 'x'}]", "hop 1 lacks the field `kind`", "Add it."),
        (
            "name = 'a'\nhops = [{kind = 'ssh', host = 'x'}, {kind = 'ssh', host = 'x', port = 70000}]",
            "the field `port` of hop 2: expected a number <= 65535",
            "Correct the field `port` of hop 2.",
        ),
        (
            "name = 'a'\nhops = [{kind = 'ssh', host = 'x', prt = 1}]",
            "hop 1 has an unknown field `prt`",
            "`port`",
        ),
        (
            "name = 'a'\n[select]\nnod = 'x'",
            "the field `select` has an unknown field `nod`",
            "Is `node` meant?",
        ),
    ],
)
def test_a_wrong_shape_names_the_field(text: str, title: str, hint: str) -> None:
    content = document.table(text.encode(), "web.toml")
    with pytest.raises(BadInput) as caught:
        document.shape(content, Profile, "web.toml")

    assert caught.value.title == f"web.toml: {title}"
    assert hint in caught.value.hint
    assert caught.value.hint.endswith("The file was left as it is.")


def test_a_value_in_the_wrong_place_is_not_repeated() -> None:
    """Somebody may have put a password where none belongs."""
    with pytest.raises(BadInput) as caught:
        document.shape({"name": "a", "password": "swordfish"}, Profile, "web.toml")

    assert "swordfish" not in f"{caught.value.title} {caught.value.hint}"


class Plain(msgspec.Struct, omit_defaults=True):
    """A small document."""

    word: str = ""
    on: bool = True


@pytest.mark.parametrize("value", [Plain(), Plain("ü \"'\n\\", on=False)], ids=["defaults", "odd text"])
def test_what_is_written_is_read_back(value: Plain) -> None:
    assert document.shape(document.table(document.dump(value), "x"), Plain, "x") == value


def test_defaults_are_left_out() -> None:
    assert document.dump(Plain("a")) == b'word = "a"\n'
