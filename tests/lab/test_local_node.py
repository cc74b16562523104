"""The local VM with real nodes, without windows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spyglass import log
from spyglass.erlang import runtime, slots
from spyglass.erlang.compiled import sources
from spyglass.erlang.node import LocalNode
from spyglass.errors import BadInput, Failure, Lost, Missing, Unreachable
from support.beam import beam
from support.local_vm import Events, join, local_vm

COOKIE = "cookie-of-the-lab"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def erlang(cache: Path) -> runtime.Erlang:
    return runtime.find(cache=cache)


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def vm(cache: Path, tmp_path: Path, events: Events) -> Iterator[LocalNode]:
    with local_vm(cache, tmp_path, events) as made:
        yield made


def test_the_modules_compile_without_a_warning(erlang: runtime.Erlang, tmp_path: Path) -> None:
    erlc = erlang.root / "bin" / "erlc"
    argv = [str(erlc), "-Wall", "-Werror", "-o", str(tmp_path), *map(str, sources())]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_two_first_uses_at_once_share_one_directory(erlang: runtime.Erlang, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from spyglass.erlang import runtime;"
        "top = Path(sys.argv[1]); print(runtime.modules(runtime.find(cache=top), top))"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", code, str(tmp_path)]
    both = [subprocess.Popen(argv, stdout=subprocess.PIPE, env=environ, text=True) for _ in range(2)]
    seen = [one.communicate(timeout=60)[0].strip() for one in both]
    assert seen[0] == seen[1] == str(runtime.modules(erlang, tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {Path(seen[0]).name, "erlang.json"}


def test_a_cache_that_cannot_be_written_is_named(erlang: runtime.Erlang, tmp_path: Path) -> None:
    with pytest.raises(Failure, match=str(tmp_path / "gone")):
        runtime.modules(erlang, tmp_path / "gone")


def test_one_vm_joins_long_and_short_names(vm: LocalNode) -> None:
    with beam("long@127.0.0.9") as long, beam("short@web-1") as short:
        for remote in (long, short):
            join(vm, remote)
            assert vm.call(remote.name, "erlang", "node") in {remote.name, f"'{remote.name}'"}


def test_it_neither_listens_nor_starts_an_epmd_nor_shows_a_cookie(vm: LocalNode) -> None:
    with beam("quiet@127.0.0.9", COOKIE) as remote:
        join(vm, remote)
        for kind in ("cmdline", "environ"):
            assert COOKIE.encode() not in Path(f"/proc/{vm.pid}/{kind}").read_bytes()
        listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
        assert f"pid={vm.pid}," not in listening
        assert COOKIE not in " ".join(vm.last_words())
        assert log.redact(COOKIE) != COOKIE
        assert vm.call(remote.name, "erlang", "nodes", ["visible"]) == "[]"
        assert vm.call(remote.name, "erlang", "nodes", ["hidden"]).startswith("['spyglass_")
        assert remote.words() == ""


def test_foreign_flags_and_files_of_the_person_do_not_disturb_it(
    erlang: runtime.Erlang, cache: Path, tmp_path: Path, events: Events
) -> None:
    (tmp_path / ".erlang").write_text("halt(7).\n")
    (tmp_path / ".erlang.cookie").write_text("open to everybody")
    (tmp_path / ".erlang.cookie").chmod(0o644)
    environ = os.environ | {"HOME": str(tmp_path), "ERL_FLAGS": "-eval halt(8)", "ERL_LIBS": "/nowhere"}
    with slots.take(tmp_path, tmp_path) as slot:
        node = LocalNode.start(erlang, runtime.modules(erlang, cache), slot, environ=environ)
        try:
            node.ready()
        finally:
            node.close()


def test_facts_and_figures_of_a_node(vm: LocalNode) -> None:
    with beam("figures@127.0.0.9") as remote:
        join(vm, remote)
        facts = vm.facts(remote.name)
        assert facts["elixir"] is False
        assert facts["runtime_tools"] is True
        figures = vm.stats(remote.name)
        assert figures["otp"] == facts["otp"]
        assert [each["otp"] for each in vm.figures([remote.name])] == [facts["otp"]]
        assert figures["os_pid"] == str(remote.process.pid)
        assert figures["memory"]["total"] > 1_000_000
        assert figures["hidden"] == []
        assert 1 <= len(figures["top"]) <= 10
        assert figures["top"][0]["memory"] >= figures["top"][-1]["memory"]


def test_an_elixir_node_is_recognised(vm: LocalNode) -> None:
    with beam("brew@127.0.0.9", elixir=True) as remote:
        join(vm, remote)
        assert vm.is_elixir(remote.name)
        assert vm.call(remote.name, "Elixir.String", "upcase", ['<<"straße"/utf8>>']) == '<<"STRASSE">>'


def test_arguments_of_a_call_are_terms(vm: LocalNode) -> None:
    with beam("calls@127.0.0.9") as remote:
        join(vm, remote)
        assert vm.call(remote.name, "lists", "reverse", ['[1,foo,"x"]']) == '["x",foo,1]'
        assert vm.call(remote.name, "erlang", "max", ["1", "'Elixir.Foo'"]) == "'Elixir.Foo'"
        with pytest.raises(BadInput, match=r"\[1,"):
            vm.call(remote.name, "lists", "reverse", ["[1,"])
        with pytest.raises(Failure) as caught:
            vm.call(remote.name, "nothing", "here")
        assert caught.value.code == "failed-there"
        with pytest.raises(Failure) as caught:
            vm.call(remote.name, "timer", "sleep", ["5000"], timeout=0.1)
        assert (caught.value.code, caught.value.retry) == ("timeout", True)


def test_a_wrong_cookie_or_an_unknown_way_is_unreachable(vm: LocalNode) -> None:
    with beam("picky@127.0.0.9") as remote:
        with pytest.raises(Unreachable):
            vm.connect(remote.name)
        vm.add_route(remote.name, remote.port)
        vm.set_cookie(remote.name, "wrong-one")
        with pytest.raises(Unreachable) as caught:
            vm.connect(remote.name)
        assert caught.value.code == "not-connected"
        vm.set_cookie(remote.name, remote.cookie)
        vm.connect(remote.name)


def test_a_node_that_goes_down_is_told(vm: LocalNode, events: Events) -> None:
    with beam("mortal@127.0.0.9") as remote:
        join(vm, remote)
        assert events.wait("nodeup")["node"] == remote.name
        remote.kill()
        assert events.wait("nodedown")["node"] == remote.name
        with pytest.raises(Failure) as caught:
            vm.facts(remote.name)
        assert isinstance(caught.value, Lost)


def test_a_node_that_does_not_answer_any_more_is_cut_off_within_ten_seconds(
    vm: LocalNode, events: Events
) -> None:
    with beam("frozen@127.0.0.9") as remote:
        join(vm, remote)
        vm.watch(remote.name)
        os.kill(remote.process.pid, 19)
        begun = time.monotonic()
        assert events.wait("unresponsive")["node"] == remote.name
        assert events.wait("nodedown")["node"] == remote.name
        assert time.monotonic() - begun < 10


OWNER = """
import sys
from pathlib import Path
from spyglass.erlang import runtime, slots
from spyglass.erlang.node import LocalNode
cache, state = Path(sys.argv[1]), Path(sys.argv[2])
erlang = runtime.find(cache=cache)
with slots.take(state, state) as slot:
    vm = LocalNode.start(erlang, runtime.modules(erlang, cache), slot)
    vm.ready()
    print(vm.pid, flush=True)
    sys.stdin.read()
"""


def test_it_ends_when_its_owner_is_killed(cache: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", OWNER, str(cache), str(tmp_path)]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        owner.kill()
        begun = time.monotonic()
        while _alive(pid):
            assert time.monotonic() - begun < 2
            time.sleep(0.005)
        assert time.monotonic() - begun < 0.5


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_closing_twice_is_closing_once(vm: LocalNode, events: Events) -> None:
    vm.ready()
    vm.close()
    vm.close()
    assert events.wait("exit") == {"event": "exit", "status": 0}
    with pytest.raises(Lost):
        vm.facts("a@b")


def test_a_vm_that_cannot_start_says_why_without_a_secret(
    erlang: runtime.Erlang, tmp_path: Path, events: Events
) -> None:
    with slots.take(tmp_path, tmp_path) as slot:
        node = LocalNode.start(erlang, tmp_path, slot, on_event=events.queue.put)  # none of our modules there
        with pytest.raises(Failure, match="did not start") as caught:
            node.ready()
        node.close()
    assert "last words" in caught.value.hint
    assert events.wait("exit")["status"] != 0


def test_an_erlang_that_is_gone_is_missing(erlang: runtime.Erlang, tmp_path: Path) -> None:
    import dataclasses  # noqa: PLC0415

    gone = dataclasses.replace(erlang, path=tmp_path / "erl")
    with slots.take(tmp_path, tmp_path) as slot, pytest.raises(Missing):
        LocalNode.start(gone, tmp_path, slot)
