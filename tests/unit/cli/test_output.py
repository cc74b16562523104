import json

import pytest

from spyglass.cli import output
from spyglass.errors import Denied
from spyglass.status import Cookie, NodeInfo

NODE = NodeInfo(
    "k",
    "hello@172.17.0.4",
    reachable=True,
    name_type="long",
    hops=("deploy@10.99.0.1:2222",),
    runtime="docker",
    container="hello",
    networks=("bridge",),
    otp="25",
    cookie=Cookie(True, "vm.args", True),
    forward=40001,
)
FIELDS = """node reachable why_not name_type hops runtime container container_id image networks
address port via epmd_port hidden otp tls runtime_tools cookie"""


def test_json_has_exactly_the_fields_of_the_contract() -> None:
    told = output.node_json(NODE)
    assert set(told) == set(FIELDS.split())
    assert told["cookie"] == {"found": True, "source": "vm.args", "proved": True}


def test_print_json_prints_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"nodes": [output.node_json(NODE)]})
    assert json.loads(capsys.readouterr().out)["nodes"][0]["node"] == "hello@172.17.0.4"


def test_table_shows_reachable_nodes_first_and_the_reason_of_the_others() -> None:
    locked = NodeInfo("l", "audit@h", reachable=False, why_not="none of 2 cookies fits")
    lines = output.node_table([locked, NODE]).splitlines()
    assert lines[1].startswith("hello@172.17.0.4  hello")
    assert lines[2].endswith("none of 2 cookies fits")


def test_a_name_from_the_far_side_cannot_drive_the_terminal() -> None:
    evil = NodeInfo("e", "x\x1b[2J@h\nshop@h", reachable=True)
    assert "\x1b" not in output.node_table([evil])
    assert len(output.node_table([evil]).splitlines()) == 2


def test_a_failure_is_its_title_then_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_failure(Denied("prod refused deploy", "Check the key."))
    assert capsys.readouterr().err == "prod refused deploy\n  Check the key.\n"
