"""What the specification asks of every response, whatever the request was."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from .tables import error_codes, issue_codes, limits
from .wire.reply import PLAIN, WIREFLIGHT, Reply, pick
from .wire.values import UNDEFINED, Value, show

if TYPE_CHECKING:
    from .wire.trace import Request

__all__ = ["ALLOWED_ORIGIN", "FUNCTION_ID", "STAMP", "Observation", "expected_encoding", "observe"]

ALLOWED_ORIGIN: Final = "https://allowed.example"
STAMP: Final = re.compile(r"[a-z0-9]{12}\.[0-9a-f]{16}")
FUNCTION_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:/[A-Za-z_][A-Za-z0-9_]*)*")
KEY: Final = re.compile(FUNCTION_ID.pattern + r"/[A-Za-z0-9_-]*")
LOCATION: Final = re.compile(r"/(?![/\\])[\x21-\x5B\x5D-\x7E]*")
_REDIRECT: Final = re.compile(r"https://allowed\.example(?:/[\x21-\x5B\x5D-\x7E]*)?")
_EXT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
_UNUSED_STATUSES: Final = frozenset({407, 408, 421, 425})
_LIMITED: Final = frozenset(
    {
        "too_deep",
        "too_large",
        "body_too_large",
        "payload_too_long",
        "headers_too_large",
        "response_too_large",
    }
)
_OPS: Final = frozenset({"set", "fail", "redirect", "ignore", "invalidate", "reset"})


@dataclass(frozen=True, slots=True)
class Observation:
    """One clause, looked at in one response."""

    clause: str
    holds: bool
    expected: str
    got: object
    """Whatever its `str` says; most responses hold all, and their texts are never made."""


@dataclass(frozen=True, slots=True)
class _Shown:
    value: Value

    def __str__(self) -> str:
        return show(self.value)


_QVALUE: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
"""The form of RFC 9110, section 12.4.2."""


def _quality(accept: str, media_type: str) -> float:
    best = 0.0
    for part in accept.split(","):
        name, *parameters = [piece.strip() for piece in part.split(";")]
        if name.lower() != media_type:
            continue
        quality = 1.0
        for parameter in parameters:
            label, _, text = parameter.partition("=")
            if label.strip().lower() == "q":
                quality = float(text) if _QVALUE.fullmatch(text) else 0.0
        best = max(best, quality)
    return best


def expected_encoding(request: Request) -> str:
    """Return the media type in which the response has to be. Spec: HTTP-9."""
    accept = ",".join(v for n, v in request.headers if n.lower() == "accept")
    wireflight, plain = _quality(accept, WIREFLIGHT), _quality(accept, PLAIN)
    if wireflight or plain:
        return WIREFLIGHT if wireflight >= plain else PLAIN
    query = request.target.partition("?")[2]
    if any(name == "payload" for name, _ in parse_qsl(query, keep_blank_values=True)):
        return WIREFLIGHT
    types = [
        v.partition(";")[0].strip().lower()
        for n, v in request.headers
        if n.lower() == "content-type"
    ]
    return WIREFLIGHT if WIREFLIGHT in types else PLAIN


def observe(reply: Reply, request: Request) -> Iterator[Observation]:
    """Yield every clause that this response can be measured by."""
    yield from _headers(reply, request)
    is_empty = reply.status == 204 or request.method == "HEAD"
    if reply.status == 204:
        bare = not reply.response.body and not reply.response.all("content-type")
        yield Observation("HTTP-10", bare, "a 204 without body and Content-Type", reply)
    if is_empty:
        return
    yield from _encoding(reply, request)
    if reply.fault is None:
        yield from _envelope(reply)


def _headers(reply: Reply, request: Request) -> Iterator[Observation]:
    header, every = reply.response.header, reply.response.all
    cache = {part.strip().lower() for part in (header("cache-control") or "").split(",")}
    wanted = "Cache-Control: private, no-store"
    yield Observation(
        "SEC-4", cache == {"private", "no-store"}, wanted, str(header("cache-control"))
    )
    for name, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ):
        holds = [text.lower() for text in every(name)] == [value]
        yield Observation("SEC-4", holds, f"{name}: {value}", f"{name}: {header(name)}")
    vary = {part.strip().lower() for part in (header("vary") or "").split(",")}
    yield Observation(
        "SEC-5",
        vary >= {"accept", "origin", "sec-fetch-site"},
        "a Vary that names Accept, Origin and Sec-Fetch-Site",
        f"Vary: {header('vary')}",
    )
    tagless = not every("etag") and reply.status != 304
    yield Observation(
        "SEC-6", tagless, "no ETag and no 304", f"{reply.status}, ETag {every('etag')}"
    )
    version = every("wireflight-version")
    yield Observation("VER-1", version == ["1"], "Wireflight-Version: 1", str(version))
    yield Observation(
        "ENV-2", not every("location"), "no Location field", f"Location: {every('location')}"
    )
    for cookie in every("set-cookie"):
        paths = [p.strip() for p in cookie.split(";")[1:] if p.strip().lower().startswith("path=")]
        yield Observation("SEC-10", [p[5:] for p in paths] == ["/"], "cookies with Path=/", cookie)
    sent = [value for name, value in request.headers if name.lower() == "origin"]
    origins = [value.strip(" \t") for value in sent]  # HTTP-16
    allowed = origins == [ALLOWED_ORIGIN]
    shown = [every("access-control-allow-origin"), every("access-control-allow-credentials")]
    expected = [[ALLOWED_ORIGIN], ["true"]] if allowed else [[], []]
    text = "the CORS fields for an allowed origin" if allowed else "no CORS fields"
    yield Observation("SEC-8", shown == expected, text, f"Origin {origins}: {shown}")


def _encoding(reply: Reply, request: Request) -> Iterator[Observation]:
    wanted = expected_encoding(request)
    got = reply.response.header("content-type")
    if reply.media_type in (WIREFLIGHT, PLAIN):
        yield Observation(
            "HTTP-9", reply.media_type == wanted, f"an answer in {wanted}", f"Content-Type: {got}"
        )
    else:
        yield Observation("HTTP-10", False, f"one Content-Type, {wanted}", f"Content-Type: {got}")
        return
    readable = reply.fault is None and isinstance(reply.document, Mapping)
    yield Observation("HTTP-10", readable, "a body that is one document", reply)


def _envelope(reply: Reply) -> Iterator[Observation]:
    kinds = ("result", "redirect", "error", "manifest")
    yield Observation("ENV-1", reply.type in kinds, "an envelope with a known type", reply)
    if reply.type == "error":
        yield from _error(reply.envelope.get("error", UNDEFINED), reply)
    elif reply.type in kinds:
        yield Observation(
            "HTTP-11", reply.status == 200, f"200 for {reply.type}", str(reply.status)
        )
    if reply.type == "result":
        at = reply.envelope.get("at", UNDEFINED)
        yield Observation("ENV-3", isinstance(at, str), "a result with its stamp `at`", _Shown(at))
        yield _stamp(at)
    if reply.type == "redirect":
        yield _location(reply.envelope.get("location", UNDEFINED))
    if "updates" in reply.envelope:
        yield from _updates(reply)


def _stamp(stamp: Value) -> Observation:
    holds = isinstance(stamp, str) and STAMP.fullmatch(stamp) is not None
    return Observation(
        "ORD-1", holds, "a stamp of 12 characters, a dot and 16 digits", _Shown(stamp)
    )


def _location(location: Value) -> Observation:
    holds = isinstance(location, str) and bool(
        LOCATION.fullmatch(location) or _REDIRECT.fullmatch(location)
    )
    return Observation(
        "ENV-6", holds, "a path of this site or an allowed https URL", show(location)
    )


def _error(error: Value, reply: Reply) -> Iterator[Observation]:
    status, code, message = (pick(error, name) for name in ("status", "code", "message"))
    whole = isinstance(status, int) and isinstance(code, str) and isinstance(message, str)
    yield Observation("ENV-1", whole, "an error with status, code and message", _Shown(error))
    if not whole:
        return
    yield Observation(
        "ENV-2",
        status == reply.status,
        f"the status {show(status)} of the error",
        str(reply.status),
    )
    yield Observation("HTTP-11", reply.status >= 400, "a refusal is never a 200", str(reply.status))
    yield from _code(error)


def _code(error: Value) -> Iterator[Observation]:
    status, code = pick(error, "status"), pick(error, "code")
    if not isinstance(code, str) or not isinstance(status, int):
        yield Observation("ERR-1", False, "an error with status and code", _Shown(error))
        return
    known = error_codes()
    if code in known:
        yield Observation("ERR-1", status == known[code], f"{code} with {known[code]}", str(status))
    else:
        fits = _EXT_NAME.fullmatch(code) is not None and len(code) <= 64
        fits = fits and 400 <= status <= 599 and status not in _UNUSED_STATUSES
        yield Observation("ERR-1", fits, "a code of the table, or one with a dot", _Shown(error))
    if code in _LIMITED:
        limit = pick(error, "limit")
        yield Observation(
            "ERR-4", limit in limits(), f"{code} with the limit's name", _Shown(error)
        )
    if "issues" in (error if isinstance(error, Mapping) else {}):
        yield from _issues(pick(error, "issues"))


def _issues(issues: Value) -> Iterator[Observation]:
    if not isinstance(issues, Sequence) or isinstance(issues, str | bytes):
        yield Observation("ISS-1", False, "a list of issues", _Shown(issues))
        return
    codes = [pick(issue, "code") for issue in issues]
    yield Observation(
        "ISS-1", all(c in issue_codes() for c in codes), "codes of the table", show(codes)
    )
    most = 101 if codes and codes[-1] == "truncated" else 100
    yield Observation("ISS-3", 1 <= len(codes) <= most, "1 to 100 issues", f"{len(codes)} issues")


def _updates(reply: Reply) -> Iterator[Observation]:
    updates = reply.envelope["updates"]
    if not isinstance(updates, Sequence) or isinstance(updates, str | bytes):
        yield Observation("UPD-1", False, "updates as a list", _Shown(updates))
        return
    forms = [_is_update(update) for update in updates]
    yield Observation("UPD-1", all(forms), "updates of the forms in the table", _Shown(updates))
    # a key that is no string is no update of a form, which the line above says
    keys = Counter(key for update in updates if isinstance(key := pick(update, "key"), str))
    twice = [key for key, count in keys.items() if count > 1]
    yield Observation("UPD-1", not twice, "each key once", f"more than once: {show(twice)}")
    ops = [pick(update, "op") for update in updates]
    yield Observation("UPD-1", "reset" not in ops[1:], "a reset before all others", _Shown(ops))
    if reply.type == "error":
        alone = all(op == "invalidate" for op in ops)
        yield Observation("UPD-9", alone, "only invalidate in an error", _Shown(ops))
    for update in updates:
        op = pick(update, "op")
        if op == "set":
            yield _stamp(pick(update, "at"))
            if pick(update, "from") is not UNDEFINED:
                yield _stamp(pick(update, "from"))
        elif op == "fail":
            yield from _code(pick(update, "error"))
        elif op == "redirect":
            yield _location(pick(update, "location"))


def _is_update(update: Value) -> bool:
    op, key = pick(update, "op"), pick(update, "key")
    if op not in _OPS:
        return False
    if op == "reset":
        return key is UNDEFINED
    if op == "invalidate":
        targets = [name for name in ("key", "id", "all") if pick(update, name) is not UNDEFINED]
        if targets == ["all"]:
            return pick(update, "all") is True
        return len(targets) == 1 and isinstance(pick(update, targets[0]), str)
    if op == "set" and not (isinstance(key, str) and KEY.fullmatch(key)):
        return False
    # a requested key that is no key comes back as the client sent it (REQ-2)
    return isinstance(key, str)
