from __future__ import annotations

import pytest
from msgspec.structs import replace

from spyglass.status import Phase, Status
from spyglass.ui import words
from spyglass.ui.words import Verb
from support import fake_hub as fake

NOW = fake.NOW


@pytest.mark.parametrize(
    ("status", "text", "others"),
    [
        (Status("x"), "Connect", (Verb.EDIT,)),
        (fake.connecting(), "Cancel", ()),
        (Status("x", Phase.DISCOVERING), "Cancel", ()),
        (Status("x", Phase.FORWARDING), "Cancel", ()),
        (fake.connected(), "Observe shop@172.17.0.4", (Verb.DISCONNECT,)),
        (fake.nothing_found(), "Disconnect", ()),
        (fake.waiting(), "Retry now", (Verb.CANCEL,)),
        (fake.changed_key(), "Try again", (Verb.EDIT,)),
        (Status("x", Phase.CLOSING), "Disconnect", ()),
    ],
    ids=lambda value: value.phase.value if isinstance(value, Status) else None,
)
def test_each_phase_has_one_primary_button(status: Status, text: str, others: tuple[Verb, ...]) -> None:
    assert words.buttons(status).text == text
    assert words.buttons(status).others == others


def test_the_primary_button_names_the_chosen_node_unless_it_cannot_be_reached() -> None:
    status = fake.refused()
    assert words.buttons(status, status.nodes[2:3]).text == "Observe jobs@172.17.0.9"
    assert words.buttons(status, status.nodes[3:4]).text == "Observe shop@172.17.0.4"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status("x"), "Offline"),
        (fake.connected(), "Connected · 3 nodes · 2 h 14 min"),
        (fake.connecting(), "Opening stage"),
        (fake.waiting(), "Not connected · try 3 in 12 s"),
        (fake.changed_key(), "Stopped at 10.0.3.7"),
        (Status("x", Phase.CONNECTING, question="HostKey"), "Waiting for you: is this the right server?"),
    ],
)
def test_the_state_is_said_in_words(status: Status, said: str) -> None:
    assert words.headline(status, NOW) == said


@pytest.mark.parametrize(
    ("status", "shape", "short"),
    [
        (Status("x"), "off", ""),
        (fake.connected(), "ok", "3 nodes"),
        (fake.connecting(), "busy", "opening"),
        (fake.waiting(), "warn", "waiting"),
        (fake.changed_key(), "bad", "needs you"),
        (replace(fake.connecting(), question="Secret"), "warn", "needs you"),
    ],
)
def test_the_list_shows_the_same_state(status: Status, shape: str, short: str) -> None:
    assert (words.shape(status), words.short(status)) == (shape, short)


def test_a_countdown_wakes_each_second_and_a_connection_each_minute() -> None:
    assert words.seconds_to_change(fake.waiting(), NOW + 0.25) == pytest.approx(0.75)
    assert words.seconds_to_change(fake.connected(), NOW + 5) == pytest.approx(55)
    assert words.seconds_to_change(Status("x"), NOW) is None
    assert words.seconds_to_change(fake.changed_key(), NOW) is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(59, "0 min"), (180, "3 min"), (8040, "2 h 14 min"), (439_200, "5 d 2 h")]
)
def test_durations(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_the_chain_is_planned_while_offline_even_after_an_earlier_connection() -> None:
    stale = replace(fake.connected(), phase=Phase.OFFLINE, nodes=())
    assert [link.label for link in words.chain(fake.SHOP, stale)] == [
        "This computer",
        "deploy@prod-eu",
        "Engine",
        "web",
        "Nodes",
    ]
    assert {link.state for link in words.chain(fake.SHOP, stale)} == {"todo"}


def test_the_footer_tells_refused_cookies_and_what_cannot_be_reached() -> None:
    said = words.footer(fake.refused())
    assert "2 containers have no Erlang" in said
    assert "1 node refused our cookie: audit@172.17.0.11" in said
    assert "1 node can't be reached" in said


def test_long_names_lose_their_middle() -> None:
    assert words.elided("a" * 30 + "b" * 30, 21) == "a" * 10 + "…" + "b" * 10
    assert words.elided("short", 21) == "short"
