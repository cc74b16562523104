"""What a person writes to say which nodes are meant, and what is refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import BadInput
from spyglass.selector import Selector, check, read, words

TEXT = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
SELECTORS = st.builds(
    Selector,
    image=TEXT | st.just(""),
    label=st.lists(TEXT, max_size=3).map(tuple),
    network_alias=TEXT | st.just(""),
    compose=TEXT | st.just(""),
    rancher=TEXT | st.just(""),
    node=TEXT | st.just(""),
)


@given(SELECTORS)
def test_what_is_told_is_what_is_read(select: Selector) -> None:
    assert read(words(select), Selector()) == select


@given(SELECTORS)
def test_a_saved_one_is_the_same_again(select: Selector) -> None:
    assert msgspec.toml.decode(msgspec.toml.encode(select), type=Selector) == select


def test_what_is_read_goes_over_what_was_there() -> None:
    base = Selector(container="web", node="shop@*")
    assert read("label=a=b label=c dns=web.internal", base) == Selector(
        container="web", node="shop@*", label=("a=b", "c"), dns="web.internal"
    )


@pytest.mark.parametrize("text", ["web", "colour=red", "dns=", "'dns=a", "=x"])
def test_other_words_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(text, Selector())
    assert refused.value.hint


@pytest.mark.parametrize(
    ("select", "named"),
    [
        (Selector(dns="web internal"), "dns"),
        (Selector(dns="-rf"), "dns"),
        (Selector(dns="a" * 300), "dns"),
        (Selector(dns="web`id`"), "dns"),
        (Selector(ask_in="web"), "ask_in"),
        (Selector(dns="web", ask_in="-it"), "ask_in"),
        (Selector(image="a\x1b[2J"), "image"),
        (Selector(label=("a\nb",)), "label"),
        *((Selector(compose=text), "`compose`") for text in ("a/b/c", "/web", "shop/", "/", "my shop/web")),
        *((Selector(rancher=text), "`rancher`") for text in ("a/b/c", "/web", "shop/")),
        *((Selector(label=(text,)), "`label`") for text in ("=web", " =web")),
        *((Selector(node=text), "`node`") for text in ("a@b@c", "shop@", "shop @*")),
        (Selector(image="my image"), "`image`"),
        (Selector(network_alias="we b"), "`network_alias`"),
        (Selector(swarm_service="we b"), "`swarm_service`"),
        (Selector(container="my web"), "`container`"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_field(select: Selector, named: str) -> None:
    with pytest.raises(BadInput) as refused:
        check(select)
    assert named in refused.value.title + refused.value.hint


def test_a_name_may_be_long_short_and_absolute() -> None:
    for name in ("web", "web.internal", "a_b-1.example.org.", "10.0.0.7"):
        assert check(Selector(dns=name)).asks


def test_the_way_is_told_in_few_words() -> None:
    assert Selector(container="web").label_text == "web"
    assert Selector(network_alias="web", image="elixir:lab").label_text == "image elixir:lab, alias web"
    assert not Selector(node="shop@*").narrows
    assert Selector(swarm_service="shop").narrows
