import subprocess
import sys
from pathlib import Path

APP = Path(__file__).parents[3] / "app"
LEAN = "from spyglass.remote import lean\nlean.import_paramiko()\n"


def run(program: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(APP)!r})\n{program}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.strip()


def test_paramiko_comes_without_invoke_which_can_be_imported_later() -> None:
    there = "print('paramiko' in sys.modules, 'invoke' in sys.modules)\n"
    assert run(LEAN + there + "import invoke") == "True False"


def test_an_invoke_that_is_there_already_stays() -> None:
    assert run("import invoke\n" + LEAN + "print(sys.modules['invoke'] is invoke)") == "True"
