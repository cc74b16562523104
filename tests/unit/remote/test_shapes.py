"""Whatever strangers tell has the shape that is wanted, or is empty."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.remote import shapes

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


@given(JSON)
def test_every_value_becomes_one_of_the_shape(told: object) -> None:
    assert isinstance(shapes.mapping(told), dict)
    assert isinstance(shapes.sequence(told), list)
    assert isinstance(shapes.text(told), str)
    assert all(isinstance(value, str) for value in shapes.texts(told).values())
    assert 0 <= shapes.number(told) < 10**9


@pytest.mark.parametrize(
    ("told", "number"), [(80, 80), ("81", 81), ("٨٠", 0), ("-1", 0), (10**9, 0), (True, 0)]
)
def test_numbers_come_as_such_and_as_text(told: object, number: int) -> None:
    assert shapes.number(told) == number


def test_an_identity_is_hexadecimal() -> None:
    assert [shapes.identity(told) for told in ("c0ffee", "C0FFEE", "../x", 5, None)] == ["c0ffee", *[""] * 4]


def test_what_does_not_show_is_replaced() -> None:
    assert shapes.printable("a\x1b[2Jb" + "x" * 300) == ("a?[2Jb" + "x" * 300)[:255]
