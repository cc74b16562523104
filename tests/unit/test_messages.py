from spyglass.messages import Dated, Ended, Seen
from support.fake_world import found


def test_a_message_in_the_log_tells_no_cookie() -> None:
    assert "TOPSECRET" not in repr(Dated(1, Seen(found("shop@h", cookie="TOPSECRET"))))


def test_an_end_without_a_failure_is_the_person_s_wish() -> None:
    assert Ended("key") == Ended("key", None)
