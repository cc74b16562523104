"""What has changed between two looks, in the words that people get."""

from __future__ import annotations

from msgspec.structs import replace

from spyglass.news import changes, lines
from spyglass.status import NodeInfo

WEB = NodeInfo(
    "docker/web/app@web", "app@web", True, container="web", container_id="1", address="172.17.0.2", port=9
)
DOWN = replace(WEB, reachable=False, why_not="port 9 refuses")


def test_who_comes_and_goes_is_told() -> None:
    assert lines([], [WEB]) == ["app@web (web) came"]
    assert lines([WEB], []) == ["app@web (web) went"]
    assert lines([], [DOWN]) == ["app@web (web) came: port 9 refuses"]


def test_what_is_as_it_was_is_no_news() -> None:
    assert lines([WEB], [replace(WEB, forward=4711)]) == []
    assert lines([DOWN], [replace(DOWN, address="172.17.0.9")]) == []


def test_what_changed_is_told_in_few_words() -> None:
    assert lines([WEB], [DOWN]) == ["app@web (web) changed: port 9 refuses"]
    assert lines([DOWN], [WEB]) == ["app@web (web) changed: ready"]
    assert lines([WEB], [replace(WEB, container_id="2")]) == [
        "app@web (web) changed: its container was made anew"
    ]
    assert lines([WEB], [replace(WEB, address="172.17.0.9")]) == [
        "app@web (web) changed: now at 172.17.0.9:9"
    ]
    assert lines([WEB], [replace(WEB, otp="25")]) == ["app@web (web) changed: otp"]


def test_what_went_is_told_first() -> None:
    other = replace(WEB, key="docker/db/app@db", node="app@db")
    assert [change.kind for change in changes([WEB], [other])] == ["went", "came"]
