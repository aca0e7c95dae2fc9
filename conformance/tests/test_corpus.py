"""The corpus: its form, what it covers, and that the suite's own codec agrees with it."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from wireflight_conformance.cases.codec_verdicts import verdict_of_payload, verdict_of_text
from wireflight_conformance.clauses import SpecError, load, spec_folder
from wireflight_conformance.corpus import (
    Json,
    Vector,
    expand,
    load_vectors,
    read_vectors,
    same_tagged,
    steps_cited,
    tag,
    untag,
)
from wireflight_conformance.tables import limits
from wireflight_conformance.wire import codec
from wireflight_conformance.wire.values import UNDEFINED, BigInt, Date, Extension, Map, Set, Value

# what the suite's own codec, which draws and reads small values, leaves to the vectors
OWN_LACKS = (
    *("identity", "cycle", "cycle_any", "equal_items", "equal_dates", "surrogates", "offsets"),
    *("wide_dates", "microseconds", "any_extension", "any_extension_content"),
    *("equal_bytes", "same_container"),
)


def of_kind(*kinds: str) -> list[Vector]:
    return [vector for vector in load_vectors() if vector.kind in kinds]


# -- form --------------------------------------------------------------------------------------


def test_corpus_cites_only_clauses_and_steps_that_exist() -> None:
    """Each id in `req` is a clause, and each step is a step of its algorithm."""
    for vector in load_vectors():
        for name in vector.req:
            clause, _, step = name.partition(".")
            assert clause in load(), f"{vector.name}: {name}"
            if step:
                steps = re.findall(r"^(\d+)\. ", load()[clause].text, re.MULTILINE)
                assert step in steps, f"{vector.name}: {name}"


@pytest.mark.parametrize(
    "clause", ["PAY-1", "PAY-6", "KEY-1", "KEY-5", "PLAIN-1", "HTTP-9", "REQ-3", "SEC-2"]
)
def test_corpus_has_a_vector_for_every_step(clause: str) -> None:
    """Each step of each algorithm that can be left out has a vector that then fails."""
    steps = set(re.findall(r"^(\d+)\. ", load()[clause].text, re.MULTILINE))
    cited = {
        name.partition(".")[2]
        for name in steps_cited(load_vectors())
        if name.startswith(f"{clause}.")
    }

    assert steps <= cited


def test_corpus_refuses_more_than_it_accepts() -> None:
    """What has to be refused is the larger part."""
    verdicts = Counter(vector.verdict for vector in load_vectors())
    assert verdicts["reject"] > verdicts["accept"] > 300


def test_corpus_reaches_every_code_of_decoding_and_limit_of_arguments() -> None:
    """Each failure of PAY-6 and KEY-5, and each limit of the structure, is met."""
    codes = {code for vector in load_vectors() for code in vector.codes}
    assert codes >= {"invalid_payload", "non_canonical", "too_deep", "too_large", "invalid_key"}
    named = {vector.limit for vector in of_kind("decode")} - {None}
    assert named == {
        "table_entries",
        "container_members",
        "depth",
        "expanded_nodes",
        "bigint_digits",
    }


def test_corpus_reaches_every_code_that_one_request_can_have() -> None:
    """Each code of the table is met in a request vector, but for one that needs a slow body."""
    codes = {code for vector in of_kind("request") for code in vector.codes}
    for vector in of_kind("request"):
        for outcome in dict(vector.fields.get("outcomes", {})).values():
            codes |= set(outcome[1:]) if isinstance(outcome, list) else set()
    from wireflight_conformance.tables import error_codes

    assert set(error_codes()) - codes == {"body_timeout"}


def test_corpus_texts_fit_a_request_body() -> None:
    """A text that has another fault is not also too long."""
    for vector in of_kind("decode", "plain"):
        if "text" in vector.fields and vector.fields.get("mode") != "response":
            assert len(vector.text("text")) <= limits()["body_bytes"].default, vector.name


def file_of(*rows: dict[str, object]) -> str:
    return json.dumps({"version": 1, "kind": "decode", "vectors": rows})


ROW: dict[str, object] = {"id": "a", "req": ["PAY-1"], "verdict": "accept"}


@pytest.mark.parametrize(
    "text",
    [
        '{"version": 2, "kind": "decode", "vectors": []}',
        '{"version": 1, "kind": "poems", "vectors": []}',
        "[]",
        "{",
        file_of({**ROW, "req": []}),
        file_of({**ROW, "verdict": "maybe"}),
        file_of({**ROW, "verdict": "reject"}),
        file_of({**ROW, "code": "invalid_payload"}),
        file_of(ROW, ROW),
    ],
)
def test_corpus_refuses_file_of_another_form(tmp_path: Path, text: str) -> None:
    """A file that is no file of vectors is an error, not an empty list."""
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(SpecError):
        read_vectors(tmp_path / "x.json")


def test_corpus_expands_described_texts() -> None:
    """A described text is written out as the README says."""
    assert expand("a") == "a"
    assert (
        expand({"concat": ["[", {"repeat": ["x", 3]}, {"series": ["[#]", 1, 3]}]})
        == "[xxx[1],[2],[3]"
    )
    assert expand({"concat": [{"series": ["#:#", 9, 10]}]}) == "9:9,10:10"
    for wrong in (1, {"concat": [{"repeat": ["x"]}]}, {"text": []}, {"concat": "x"}):
        with pytest.raises(SpecError):
            expand(wrong)


# -- tagged values -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, 1.5, -0.0, math.inf, -math.inf, "", "a", UNDEFINED, b"", b"\xff",
        BigInt(0), BigInt(-(10**30)), Date("2026-01-02T03:04:05.678Z"), [1, [2]], {"a": {"b": 1}},
        Map([("k", 1), (1, "k")]), Set([1, "1", True]), Extension("fx.Money", {"a": 1}),
    ],
)  # fmt: skip
def test_corpus_tags_and_untags_value(value: Value) -> None:
    """A value that is tagged and read again is the same."""
    from wireflight_conformance.wire.values import same

    assert same(untag(tag(value)), value, ordered=True)


@pytest.mark.parametrize(
    ("left", "right", "is_same"),
    [
        (1, 1.0, True), (10**21, 1e21, True), (1, True, False), (0, False, False), ("1", 1, False),
        (None, False, False), ([1], [1, 2], False), ({"$set": [1]}, {"$map": [1]}, False),
        ({"$number": "NaN"}, {"$number": "NaN"}, True), (10**400, 1.0, False),
        ({"$object": [["a", 1]]}, {"$object": [["a", 1.0]]}, True),
        ({"$object": [["a", 1], ["b", 2]]}, {"$object": [["b", 2], ["a", 1]]}, False),
    ],
)  # fmt: skip
def test_corpus_tells_tagged_values_apart(left: Json, right: Json, *, is_same: bool) -> None:
    """Numbers compare as doubles; types, orders and lengths count."""
    assert same_tagged(left, right) is is_same


@pytest.mark.parametrize("tagged", [{"$set": 1}, {"$what": 1}, {}, {"$number": "1"}])
def test_corpus_refuses_to_untag_what_is_not_tagged(tagged: Json) -> None:
    """Another form is an error."""
    with pytest.raises(SpecError):
        untag(tagged)


# -- the suite's own codec ---------------------------------------------------------------------


def is_own(vector: Vector) -> bool:
    # Python converts 4300 digits at most; the properties draw far fewer
    is_long = vector.id == "bigint-digits-5000-in-response"
    return vector.needs not in OWN_LACKS and vector.limit is None and not is_long


@pytest.mark.parametrize("mode", ["request", "response"])
def test_own_codec_decodes_as_the_vectors_say(mode: str) -> None:
    """What properties compare a codec with reads every vector without a limit as it says."""
    wrong = []
    for vector in of_kind("decode"):
        if vector.fields["mode"] not in (mode, "both") or not is_own(vector):
            continue
        if "bytes_hex" in vector.fields:
            data = bytes.fromhex(vector.text("bytes_hex"))
        else:
            data = vector.text("text").encode()
        verdict, value = verdict_of_text(data, mode)
        if vector.verdict == "accept" and "value" in vector.fields:
            is_right = verdict == "value" and same_tagged(tag(value), vector.fields["value"])
        else:
            allowed = {"accept": ["value"], "reject": ["invalid_payload"]}
            is_right = verdict in (
                *allowed.get(vector.verdict, ("value", "invalid_payload")),
                "either",
            )
        if not is_right:
            wrong.append(f"{vector.name}: {verdict}")
    assert not wrong


def test_own_codec_reads_payloads_as_the_vectors_say() -> None:
    """Each payload without a limit is accepted or refused with the code of its vector."""
    wrong = []
    for vector in filter(is_own, of_kind("payload")):
        verdict, value = verdict_of_payload(vector.text("payload"))
        if vector.verdict == "accept":
            is_right = verdict == "value"
            if "value" in vector.fields:
                is_right = is_right and same_tagged(tag(value), vector.fields["value"])
        else:
            is_right = verdict in (*vector.codes, "either")
        if not is_right:
            wrong.append(f"{vector.name}: {verdict}")
    assert not wrong


def test_own_codec_writes_as_the_vectors_say() -> None:
    """Texts and canonical texts are those of the vectors, byte for byte."""
    wrong = []
    for vector in filter(is_own, of_kind("encode", "canonical")):
        if vector.verdict != "accept" or "$def" in str(vector.fields["value"]):
            continue
        write = codec.encode if vector.kind == "encode" else codec.canonical
        text = write(untag(vector.fields["value"]))
        if text != vector.text("text"):
            wrong.append(f"{vector.name}: {text}")
    assert not wrong


# -- the test peer -----------------------------------------------------------------------------


DEVALUE = Path(__file__).parents[2] / "reference" / "tests" / "node" / "node_modules" / "devalue"


def test_vectors_agree_with_devalue() -> None:
    """What the vectors accept, npm devalue reads and writes in the same way, byte for byte."""
    node = shutil.which("node")
    if node is None or not DEVALUE.is_dir():
        pytest.skip("node or devalue is missing: npm ci --prefix reference/tests/node")
    script = spec_folder() / "vectors" / "verify.mjs"
    done = subprocess.run(
        [node, str(script), str(DEVALUE)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
