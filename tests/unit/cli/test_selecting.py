"""From options to a selector: what is given changes, the rest stays."""

from __future__ import annotations

import pytest

from spyglass.cli.parser import build
from spyglass.cli.selecting import refuse_all_but, selected
from spyglass.errors import BadInput
from spyglass.selector import Selector

BASE = Selector("web", node="shop@*", dns="old.internal")


def select(*words: str) -> Selector:
    return selected(BASE, build().parse_args(["nodes", "lab", *words]))


def test_without_options_nothing_changes() -> None:
    assert select() == BASE


def test_every_field_has_its_option() -> None:
    words = "--container=c --image=i --label=a=b --label=c --network-alias=n --compose=p/s --swarm-service=w"
    rest = "--dns=d.internal --rancher=r/s --ask-in=x --node=app@*"
    assert select(*words.split(), *rest.split()) == Selector(
        "c", "app@*", "i", ("a=b", "c"), "n", "p/s", "w", "d.internal", "r/s", "x"
    )


def test_a_node_that_is_asked_for_is_another_matter() -> None:
    options = build().parse_args(["observe", "lab", "app@web-1", "--node", "app@*"])
    assert (options.node, selected(Selector(), options).node) == ("app@web-1", "app@*")


def test_an_empty_value_takes_a_field_back() -> None:
    assert select("--container=", "--dns=") == Selector(node="shop@*")


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(BadInput, match="DNS"):
        select("--dns=a b")


def test_where_only_one_of_them_has_a_meaning_the_others_are_refused() -> None:
    def refuse(*words: str) -> None:
        refuse_all_but("container", build().parse_args(["scratch", "lab", *words]), "It starts on the host")

    refuse("--container=web")
    with pytest.raises(BadInput) as caught:
        refuse("--network-alias=web")
    assert caught.value.title == "--network-alias does not say where"
    assert caught.value.hint == "It starts on the host, or in the one that --container names."
