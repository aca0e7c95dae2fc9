"""The transcripts of `spec/examples` are what the reference does, and the text shows them."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

import wireflight

# The program beside this file; pytest's import mode does not put its folder on the path.
_spec = importlib.util.spec_from_file_location("replay", Path(__file__).with_name("replay.py"))
assert _spec is not None
assert _spec.loader is not None
replay = importlib.util.module_from_spec(_spec)
sys.modules["replay"] = replay
_spec.loader.exec_module(replay)

FILES = sorted(replay.EXAMPLES.glob("*.http"))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_reference_answers_as_in_the_transcript(path: Path, backend: str) -> None:
    """Each request gets the response of the file, byte for byte."""
    text = path.read_text(encoding="utf-8")
    assert replay.replay(replay.parse(text), backend=backend).text() == text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_codec_decodes_every_body_of_the_transcript(path: Path) -> None:
    """A body of a response is a document of its media type; one of a request need not be."""
    for exchange in replay.parse(path.read_text(encoding="utf-8")).exchanges:
        head, _, body = "\n".join(exchange.response).partition("\n\n")
        if "Content-Type: application/wireflight+json" in head:
            document = wireflight.loads(body.encode())
        elif "Content-Type: application/json" in head:
            document = json.loads(body)
        else:
            assert exchange.request[0].startswith("OPTIONS ")
            assert body == ""
            continue
        assert document["type"] in {"result", "redirect", "error", "manifest"}


def test_text_shows_the_transcripts_as_their_files_have_them() -> None:
    """Every marked block of the protocol equals its file; `replay.py --update` makes it so."""
    protocol = replay.PROTOCOL.read_text(encoding="utf-8")
    assert protocol.count(replay.MARK) >= 2
    assert replay.with_blocks(protocol) == protocol


@pytest.mark.parametrize(
    "text",
    ["> GET / HTTP/1.1\nHTTP/1.1 200 OK\n", "< HTTP/1.1 200 OK\n"],
    ids=["no mark", "no request"],
)
def test_replay_rejects_a_line_that_belongs_nowhere(text: str) -> None:
    """A transcript with a line that is neither sent nor received is not passed over."""
    with pytest.raises(ValueError, match="has no mark, or answers nothing"):
        replay.parse(text)
