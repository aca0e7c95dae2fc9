"""Faults in errors (section 14)."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any

from wireflight_conformance.mutants.changing import Original, change
from wireflight_conformance.mutants.rewriting import Document, Sent, document_mutant, sent_mutant

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.settings import Settings

_JUDGE = "wireflight.runtime.ending.Judge"
_OUTCOMES = "wireflight.functions.outcomes"


def _error(document: Document) -> dict[str, Any]:
    error = document.get("error")
    return dict(error) if isinstance(error, dict) else {}


def _recode(document: Document, sent: Sent, old: str, new: str, status: int) -> None:
    error = _error(document)
    if error.get("code") == old:
        document["error"] = {**error, "code": new, "status": status}
        sent.status = status


# -- codes and statuses --------------------------------------------------------------------------


@document_mutant("ERR-1", "answers a body that is too long with 400")
def another_status(document: Document, sent: Sent) -> None:
    _recode(document, sent, "body_too_large", "body_too_large", 400)


@document_mutant("ERR-1", "answers an argument that does not validate with 422")
def unprocessable(document: Document, sent: Sent) -> None:
    _recode(document, sent, "invalid_argument", "invalid_argument", 422)


@document_mutant("ERR-1", "has a code of its own for unknown functions")
def own_code(document: Document, sent: Sent) -> None:
    _recode(document, sent, "unknown_function", "not_found", 404)


@document_mutant("ERR-1", "calls the application's errors by a code without a dot")
def code_without_dot(document: Document, sent: Sent) -> None:
    error = _error(document)
    _recode(document, sent, "app.error", "error", int(error.get("status", 0)))


@change("ERR-1", "lets an application use any status", f"{_OUTCOMES}.ApplicationError.__init__")
def any_status(
    make: Original, error: Any, status: int, message: str, *, code: str = "app.error"
) -> None:
    make(error, 400, message, code=code)
    error.status = status


@change("ERR-1", "lets an application use any code", f"{_OUTCOMES}.check_application_code")
def any_code(_: Original, code: str) -> str:
    return code


@change(
    "ERR-1",
    "rounds an application's status to its hundred",
    f"{_OUTCOMES}.ApplicationError.__init__",
)
def rounded_status(make: Original, error: Any, status: int, message: str, **rest: str) -> None:
    make(error, status // 100 * 100, message, **rest)


# -- the envelope --------------------------------------------------------------------------------


@sent_mutant("ERR-2", "answers unknown paths with a page")
def page_for_unknown_paths(sent: Sent) -> None:
    if sent.status == 404 and not sent.path.startswith("/fx/"):
        sent.put("content-type", "text/html")
        sent.body = b"<h1>Not found</h1>"


@sent_mutant("ERR-2", "answers methods that it does not know with an empty body")
def bare_405(sent: Sent) -> None:
    if sent.status == 405:
        sent.body = b""


@sent_mutant("ERR-2", "answers a forbidden preflight with an empty body")
def bare_preflight(sent: Sent) -> None:
    if sent.status == 403 and sent.scope["method"] == "OPTIONS":
        sent.body = b""


@document_mutant("ERR-2", "answers a body that does not decode with 500")
def malformed_is_internal(document: Document, sent: Sent) -> None:
    if sent.scope["method"] == "POST":
        _recode(document, sent, "invalid_payload", "internal", 500)


@change(
    "ERR-2",
    "lets the recursion of its parser end in 500",
    "wireflight.exchange.body.plain_loads",
    "wireflight.exchange.body.loads",
)
def recursion(load: Original, data: bytes, **rest: object) -> object:
    if data.count(b"[") > 1000:
        raise RecursionError("maximum recursion depth exceeded")
    return load(data, **rest)


# -- what leaks ----------------------------------------------------------------------------------


@change("ERR-3", "sends the text of an exception", f"{_JUDGE}.unexpected")
def exception_text(unexpected: Original, judge: object, error: Exception, place: str) -> object:
    import msgspec

    return msgspec.structs.replace(unexpected(judge, error, place), message=str(error))


@change("ERR-3", "sends the traceback of an exception", f"{_JUDGE}.unexpected")
def traceback_text(unexpected: Original, judge: object, error: Exception, place: str) -> object:
    import traceback

    import msgspec

    body = unexpected(judge, error, place)
    return msgspec.structs.replace(body, extra={"trace": traceback.format_exception(error)})


@change("ERR-3", "sends the name of an exception's type", f"{_JUDGE}.unexpected")
def exception_type(unexpected: Original, judge: object, error: Exception, place: str) -> object:
    import msgspec

    name = type(error).__name__
    return msgspec.structs.replace(unexpected(judge, error, place), message=f"Failed: {name}")


@document_mutant("ERR-3", "sends internal without an id")
def internal_without_id(document: Document, _: Sent) -> None:
    error = _error(document)
    if error.pop("id", None) is not None:
        document["error"] = error


@document_mutant("ERR-3", "sends the same id with every internal")
def one_id(document: Document, _: Sent) -> None:
    error = _error(document)
    if "id" in error:
        document["error"] = {**error, "id": "0"}


@document_mutant("ERR-4", "names no limit")
def limits_unnamed(document: Document, _: Sent) -> None:
    error = _error(document)
    if error.pop("limit", None) is not None:
        document["error"] = error


@document_mutant("ERR-4", "names a limit by a name of its own")
def limits_by_other_names(document: Document, _: Sent) -> None:
    error = _error(document)
    if "limit" in error:
        document["error"] = {**error, "limit": f"max_{error['limit']}"}


@document_mutant("ERR-4", "names the depth for every limit of structure")
def one_limit_for_all(document: Document, _: Sent) -> None:
    error = _error(document)
    if error.get("code") == "too_large":
        document["error"] = {**error, "limit": "depth"}


def _tell(document: Document, code: str, text: Callable[[], str]) -> None:
    error = _error(document)
    if error.get("code") == code:
        document["error"] = {**error, "message": text()}


@document_mutant("ERR-5", "repeats the path of an unknown function")
def repeats_path(document: Document, sent: Sent) -> None:
    _tell(document, "unknown_function", lambda: f"there is no {sent.path}")


@document_mutant("ERR-5", "repeats a version that it does not speak")
def repeats_version(document: Document, sent: Sent) -> None:
    version = sent.request_header("wireflight-version")
    _tell(document, "unsupported_version", lambda: f"version {version} is not spoken here")


@document_mutant("ERR-5", "repeats the text that does not decode")
def repeats_text(document: Document, sent: Sent) -> None:
    text = (sent.request_body or sent.scope["query_string"])[:100].decode("latin-1")
    _tell(document, "invalid_payload", lambda: f"does not decode: {text}")


@document_mutant("ERR-5", "repeats an origin that may not call")
def repeats_origin(document: Document, sent: Sent) -> None:
    origin = sent.request_header("origin")
    _tell(document, "forbidden_origin", lambda: f"{origin} may not call")


@document_mutant("ERR-5", "repeats a type that it does not read")
def repeats_type(document: Document, sent: Sent) -> None:
    kind = sent.request_header("content-type")
    _tell(document, "unsupported_media_type", lambda: f"{kind} is not read here")


@document_mutant("ERR-5", "repeats an argument that does not validate")
def repeats_argument(document: Document, sent: Sent) -> None:
    payload = sent.scope["query_string"].partition(b"payload=")[2]
    text = urlsafe_b64decode(payload[: len(payload) // 4 * 4]).decode("utf-8", "replace")
    _tell(document, "invalid_argument", lambda: f"not valid: {text}")


@document_mutant("ERR-6", "tells a path that names no function from one that is half of an id")
def known_prefixes(document: Document, sent: Sent) -> None:
    if sent.path == "/fx":
        _tell(document, "unknown_function", lambda: "this is a group")


@change("ERR-6", "answers for hidden functions with 405", "wireflight.exchange.checks.STAGES.route")
def hidden_functions(check: Original, head: RequestHead, settings: Settings) -> None:
    from wireflight.exchange.codes import ErrorCode, Refusal

    if "/_" in (head.path or ""):
        raise Refusal(ErrorCode.METHOD_NOT_ALLOWED, allowed_methods="POST")
    check(head, settings)
