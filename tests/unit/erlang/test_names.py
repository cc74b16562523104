from __future__ import annotations

import pytest

from spyglass.erlang import names
from spyglass.errors import BadInput


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        ("hello@172.17.0.2", "long"),
        ("app@web-1", "short"),
        ("shop@shop.internal", "long"),
        ("x@localhost", "short"),
        ("ip6@::1", "short"),
    ],
)
def test_a_dot_in_the_host_makes_a_name_long(node: str, kind: str) -> None:
    assert names.name_type(node) == kind


def test_a_name_splits_into_name_and_host() -> None:
    assert names.split("hello-1@web.example") == ("hello-1", "web.example")


@pytest.mark.parametrize(
    "text", ["", "hello", "@host", "hello@", "a@b@c", "a b@c", "a@b\n", "x@" + "y" * 300, "a'@b\0"]
)
def test_what_is_no_full_name_is_refused_with_a_way_out(text: str) -> None:
    assert not names.valid(text)
    with pytest.raises(BadInput) as caught:
        names.split(text)
    assert "name@host" in caught.value.hint
