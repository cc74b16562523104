from typing import Any

import pytest

from spyglass.status import NodeInfo
from spyglass.wanted import Want, lost, pick
from support.fake_world import found


def at(node: str, container: str = "") -> Any:
    """A node in a container, as discovery finds it."""
    home = container or None
    return found(node, key=f"docker/{container}/{node}" if home else f"host/srv/{node}", container=home)


def info(node: str, container: str = "") -> NodeInfo:
    return at(node, container).info  # type: ignore[no-any-return]


def chosen(want: Want, *there: Any, narrow: bool = False, complete: bool = True) -> str | None:
    picked = pick(want, {f.info.key: f for f in there}, narrow=narrow, complete=complete)
    return picked.info.key if picked else None


def test_who_was_never_open_is_known_by_key_or_full_name() -> None:
    there = [at("shop@h", "web"), at("other@h")]
    assert chosen(Want("docker/web/shop@h"), *there) == "docker/web/shop@h"
    assert chosen(Want("other@h"), *there) == "host/srv/other@h"
    assert chosen(Want("ghost@h"), *there) is None


def test_the_same_node_is_known_before_all_is_seen() -> None:
    want = lost(info("shop@h", "web"), [])
    assert chosen(want, at("shop@h", "web"), complete=False) == "docker/web/shop@h"


def test_a_node_that_does_not_answer_is_not_back_yet() -> None:
    want = lost(info("shop@h", "web"), [])
    silent = type(at("shop@h", "web"))(info("shop@h", "web"))
    assert chosen(want, silent) is None


def test_a_container_with_a_new_address_has_the_node_of_the_same_short_name() -> None:
    want = lost(info("shop@172.17.0.4", "web"), [])
    moved = at("shop@172.17.0.9", "web")
    assert chosen(want, at("job@172.17.0.9", "web"), moved) == moved.info.key
    assert chosen(want, moved, complete=False) is None


def test_another_that_took_the_address_is_not_mistaken() -> None:
    was, beside = info("shop@172.17.0.4", "web"), info("shop@172.17.0.5", "twin")
    usurper, home = at("shop@172.17.0.4", "twin"), at("shop@172.17.0.5", "web")
    want = lost(was, [was, beside])
    assert chosen(want, usurper) is None
    assert chosen(want, usurper, home) == "docker/web/shop@172.17.0.5"


def test_the_same_name_in_a_container_of_another_name_is_the_same_node() -> None:
    want = lost(info("shop@shop.internal", "web-1"), [info("job@h", "jobs")])
    assert chosen(want, at("shop@shop.internal", "web-2")) == "docker/web-2/shop@shop.internal"


def test_the_successor_in_a_service_needs_a_profile_of_that_service() -> None:
    was, twin = info("app@172.17.0.4", "web.1"), info("app@172.17.0.5", "web.2")
    want = lost(was, [was, twin])
    new, stays = at("app@172.17.0.6", "web.3"), at("app@172.17.0.5", "web.2")
    assert chosen(want, stays, new) is None
    assert chosen(want, stays, narrow=True) is None
    assert chosen(want, stays, new, narrow=True) == new.info.key


def test_of_two_that_are_alike_none_is_taken() -> None:
    want = lost(info("app@172.17.0.4", "web.1"), [])
    assert chosen(want, at("app@a.b", "web.3"), at("app@a.c", "web.4"), narrow=True) is None


@pytest.mark.parametrize(("want", "name"), [(Want("x@h"), "x@h"), (lost(info("y@h"), []), "y@h")])
def test_a_wish_has_the_full_name_as_far_as_it_is_known(want: Want, name: str) -> None:
    assert want.name == name
