"""Documents as typed objects and as values."""

import pytest
from msgspec import UNSET

from wireflight import messages

ERROR = messages.ErrorBody(status=400, code="too_deep", message="m", limit="depth")


@pytest.mark.parametrize(
    ("update", "value"),
    [
        (messages.SetValue("k/", 1, "a"), {"op": "set", "key": "k/", "value": 1, "at": "a"}),
        (
            messages.SetValue("k/", UNSET, "b", "a"),
            {"op": "set", "key": "k/", "value": UNSET, "at": "b", "from": "a"},
        ),
        (
            messages.Fail("k/", ERROR),
            {
                "op": "fail",
                "key": "k/",
                "error": {"status": 400, "code": "too_deep", "message": "m", "limit": "depth"},
            },
        ),
        (messages.Redirect("k/", "/"), {"op": "redirect", "key": "k/", "location": "/"}),
        (messages.Ignore("k/"), {"op": "ignore", "key": "k/"}),
        (messages.InvalidateKey("k/"), {"op": "invalidate", "key": "k/"}),
        (messages.InvalidateFunction("k"), {"op": "invalidate", "id": "k"}),
        (messages.InvalidateAll(), {"op": "invalidate", "all": True}),
        (messages.Reset(), {"op": "reset"}),
    ],
)
def test_messages_spell_updates(update: messages.Update, value: dict) -> None:
    """Every update has the members of its row and no other."""
    assert update.as_value() == value


def test_messages_spell_envelopes() -> None:
    """Updates are left out where there are none, and so is an undefined value."""
    ignore = messages.Ignore("k/")
    assert messages.ResultEnvelope(None, "a").as_value() == {
        "type": "result",
        "value": None,
        "at": "a",
    }
    assert messages.ResultEnvelope(UNSET, "a", [ignore]).as_value() == {
        "type": "result",
        "at": "a",
        "updates": [{"op": "ignore", "key": "k/"}],
    }
    assert messages.RedirectEnvelope("/").as_value() == {"type": "redirect", "location": "/"}
    assert messages.ErrorEnvelope(ERROR, [messages.InvalidateAll()]).as_value() == {
        "type": "error",
        "error": ERROR.as_value(),
        "updates": [{"op": "invalidate", "all": True}],
    }


def test_messages_spell_every_member_of_an_error() -> None:
    """Members that are there are written, and further ones never hide them."""
    body = messages.ErrorBody(
        status=400,
        code="c.d",
        message="m",
        id="i",
        position="entry 1",
        supported=(1,),
        issues=[{"path": []}],
        extra={"code": "other", "hint": 1},
    )
    assert body.as_value() == {
        "hint": 1,
        "status": 400,
        "code": "c.d",
        "message": "m",
        "id": "i",
        "position": "entry 1",
        "supported": (1,),
        "issues": [{"path": []}],
    }


def test_messages_read_a_query_with_null_for_its_argument() -> None:
    """Null is an argument, undefined is none."""
    assert messages.read_query_body({"arg": None}, takes_argument=True).argument is None
    assert messages.read_query_body({"arg": UNSET}, takes_argument=False).argument is UNSET
