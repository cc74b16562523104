"""How a connection behaves unless somebody wants it otherwise."""

from __future__ import annotations

from spyglass.options import Options


def test_a_connection_of_the_window_comes_back_follows_and_shows_no_cookie() -> None:
    usual = Options(cookie="SPYLAB-secret")
    assert (usual.persist, usual.boots, usual.follow) == (True, "window", "events")
    assert "SPYLAB" not in repr(usual)
