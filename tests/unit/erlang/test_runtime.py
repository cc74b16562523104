from __future__ import annotations

import json
from pathlib import Path

import pytest

from spyglass.erlang import places, runtime
from spyglass.erlang.installation import Broken, environment
from spyglass.errors import Failure, Missing


class Fakes:
    """Programs that answer as an ``erl`` would, and count how often they are asked."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.cache = top / "cache"
        self.cache.mkdir()
        self.dirs: list[Path] = []

    def add(self, name: str, *, wx: bool = True, observer: bool = True, compiler: bool = True) -> Path:
        root = self.top / name
        words = " ".join(str(has).lower() for has in (wx, observer, compiler))
        path = self.script(name, f"cat {root}/answer")
        (root / "answer").write_text(f"spyglass 26 26.2.1 {words} {root}\n")
        (root / "lib").mkdir()
        return path

    def script(self, name: str, body: str, where: str = "bin") -> Path:
        path = self.top / name / where / "erl"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\necho asked >> {self.top / name}/asked\n{body}\n")
        path.chmod(0o755)
        self.dirs.append(path.parent)
        return path

    def asked(self, name: str) -> int:
        file = self.top / name / "asked"
        return len(file.read_text().splitlines()) if file.exists() else 0

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": ":".join([*map(str, self.dirs), "/usr/bin", "/bin"]), "HOME": str(self.top / "home")}

    def find(self, setting: str = "", *, window: bool = True) -> runtime.Erlang:
        return runtime.find(setting, self.environ, window=window, cache=self.cache)


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fakes:
    made = Fakes(tmp_path)
    monkeypatch.setattr(
        runtime,
        "candidates",
        lambda _environ: [p for p in places.candidates(made.environ) if p.is_relative_to(tmp_path)],
    )
    monkeypatch.setattr(runtime, "install_command", lambda: "sudo apt install erlang-observer")
    return made


def test_the_first_on_the_path_is_used(fakes: Fakes) -> None:
    first = fakes.add("one")
    fakes.add("two")
    found = fakes.find()
    assert (found.path, found.otp, found.version) == (first, 26, "26.2.1")
    assert fakes.asked("two") == 0


def test_one_with_observer_is_preferred_to_an_earlier_one_without(fakes: Fakes) -> None:
    bare = fakes.add("bare", wx=False, observer=False)
    full = fakes.add("full")
    assert fakes.find().path == full
    assert fakes.find(window=False).path == bare


def test_an_erlang_is_asked_once_and_remembered(fakes: Fakes) -> None:
    fakes.add("one")
    assert fakes.find() == fakes.find()
    assert fakes.asked("one") == 1


def test_a_changed_program_is_asked_again(fakes: Fakes) -> None:
    path = fakes.add("one")
    fakes.find()
    path.write_text(path.read_text() + "# changed\n")
    fakes.find()
    assert fakes.asked("one") == 2


def test_a_library_added_later_is_noticed(fakes: Fakes) -> None:
    fakes.add("one", observer=False)
    with pytest.raises(Missing):
        fakes.find()
    answer = fakes.top / "one/answer"
    answer.write_text(answer.read_text().replace("false", "true"))
    (fakes.top / "one/lib/observer-2.15").mkdir()
    assert fakes.find().observer


def test_a_shim_leads_to_the_program_behind_it_and_is_asked_every_time(fakes: Fakes) -> None:
    real = fakes.add("real")
    fakes.dirs.clear()
    fakes.script("asdf", f'exec {real} "$@"', where="shims")
    assert fakes.find().path == real
    assert fakes.find().path == real
    assert fakes.asked("asdf") == 2


def test_a_broken_memory_is_no_obstacle(fakes: Fakes) -> None:
    path = fakes.add("one")
    for content in ("not json", "[1]", json.dumps({str(path): {"is": 3}})):
        (fakes.cache / "erlang.json").write_text(content)
        assert fakes.find().path == path


def test_without_any_erlang_it_says_how_to_install_one(fakes: Fakes) -> None:
    with pytest.raises(Missing, match="no Erlang") as caught:
        fakes.find()
    assert "sudo apt install erlang-observer" in caught.value.hint
    assert caught.value.code == "no-erlang"


@pytest.mark.parametrize(
    ("lacks", "word"), [("wx", "wx"), ("observer", "Observer"), ("compiler", "compiler")]
)
def test_an_incomplete_erlang_is_named_with_what_to_install(fakes: Fakes, lacks: str, word: str) -> None:
    path = fakes.add("one", **{lacks: False})
    with pytest.raises(Missing, match=word) as caught:
        fakes.find()
    assert str(path) in caught.value.title
    assert "sudo apt install erlang-" in caught.value.hint


def test_a_broken_one_is_named_with_its_first_words(fakes: Fakes) -> None:
    path = fakes.script("broken", "echo 'no beam.smp here' >&2; exit 1")
    with pytest.raises(Broken, match=r"no beam\.smp here") as caught:
        fakes.find()
    assert str(path) in caught.value.title


def test_a_broken_one_does_not_hide_one_that_works(fakes: Fakes) -> None:
    fakes.script("broken", "exit 1")
    works = fakes.add("works")
    assert fakes.find().path == works
    assert [one.path for one in runtime.installed(fakes.environ, fakes.cache)] == [works]


def test_a_program_that_is_no_erlang_is_broken(fakes: Fakes) -> None:
    fakes.script("odd", "echo hello")
    with pytest.raises(Broken, match="did not answer as Erlang does"):
        fakes.find()


def test_the_chosen_one_is_used_even_if_another_is_better(fakes: Fakes) -> None:
    fakes.add("full")
    chosen = fakes.add("chosen")
    assert fakes.find(str(chosen)).path == chosen
    assert fakes.find(str(fakes.top / "chosen")).path == chosen


def test_a_choice_that_is_not_there_is_named(fakes: Fakes) -> None:
    with pytest.raises(Missing, match="/nowhere/erl"):
        fakes.find("/nowhere/erl")


def test_foreign_flags_do_not_reach_a_vm_of_ours() -> None:
    given = {
        "ERL_FLAGS": "x",
        "ERL_AFLAGS": "x",
        "ERL_OTP26_FLAGS": "x",
        "ERL_LIBS": "x",
        "ELIXIR_ERL_OPTIONS": "x",
    }
    assert environment(given | {"PATH": "/bin", "ERL_ROOT": "kept"}) == {
        "PATH": "/bin",
        "ERL_ROOT": "kept",
        "ERL_CRASH_DUMP_SECONDS": "0",
    }


def test_no_failure_of_searching_is_anything_but_a_failure(fakes: Fakes) -> None:
    fakes.script("denied", "exit 3").chmod(0o755)
    with pytest.raises(Failure, match="exit status 3"):
        fakes.find()
