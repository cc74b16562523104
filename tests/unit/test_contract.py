from __future__ import annotations

import json

from spyglass.contract import node_json, status_json, step_json
from spyglass.status import Cookie, NodeInfo, Phase, Problem, Status

NODE = NodeInfo(key="web/shop@h", node="shop@h", reachable=True, cookie=Cookie(True, "vm.args", True))
DESIGNED = (
    "node reachable why_not name_type hops runtime container container_id image networks address port via "
    "epmd_port hidden otp tls runtime_tools cookie"
)


def test_a_node_has_the_fields_of_the_contract_and_no_other() -> None:
    told = node_json(NODE)
    assert list(told) == DESIGNED.split()
    assert told["cookie"] == {"found": True, "source": "vm.args", "proved": True}
    assert json.loads(json.dumps(told)) == told


def test_a_connection_has_the_fields_of_the_contract_and_no_other() -> None:
    told = status_json(
        Status("1f", Phase.READY, nodes=(NODE,), observing=frozenset({NODE.key, "gone"})), "lab"
    )
    fields = "profile id phase doing nodes observing problem attempt next_try"
    assert list(told) == fields.split()
    assert told["observing"] == ["gone", "shop@h"]
    assert told["problem"] is None
    assert json.loads(json.dumps(told)) == told


def test_a_step_is_short() -> None:
    failed = Status(
        "1f", Phase.FAILED, "Closing", problem=Problem("no key fits", "add one"), question="Secret"
    )
    assert step_json(failed) == {
        "phase": "failed",
        "doing": "Closing",
        "question": "Secret",
        "problem": "no key fits",
        "nodes": 0,
        "surveyed": False,
        "next_try": None,
    }
