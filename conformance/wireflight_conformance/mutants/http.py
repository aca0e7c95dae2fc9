"""Faults in exchanges over HTTP (section 8): paths, methods, query components, bodies, types."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

from wireflight_conformance.mutants.changing import Original, change
from wireflight_conformance.mutants.rewriting import Sent, came_mutant, sent_mutant

if TYPE_CHECKING:
    from wireflight.asgi import Scope
    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.settings import Settings

_CHECKS = "wireflight.exchange.checks"
_HEAD = "wireflight.exchange.head"
_BODY = "wireflight.exchange.body"


def _set_path(scope: Scope, path: str) -> None:
    scope["path"] = path
    scope["raw_path"] = path.encode()


# -- paths ---------------------------------------------------------------------------------------


@came_mutant("HTTP-1", "decodes the path twice")
def decodes_paths_twice(scope: Scope) -> None:
    _set_path(scope, unquote(scope["path"]))


@came_mutant("HTTP-1", "takes an encoded slash for a slash")
def encoded_slashes(scope: Scope) -> None:
    scope["raw_path"] = None


@came_mutant("HTTP-1", "ignores a slash at the end")
def trailing_slashes(scope: Scope) -> None:
    if len(scope["path"]) > 1 and scope["path"].endswith("/"):
        _set_path(scope, scope["path"][:-1])


@came_mutant("HTTP-1", "resolves dot segments and empty segments")
def normalised_paths(scope: Scope) -> None:
    if "." in scope["path"] or "//" in scope["path"]:
        _set_path(scope, "/" + posixpath.normpath(scope["path"]).lstrip("/"))


@came_mutant("HTTP-1", "finds functions without regard to case")
def paths_in_any_case(scope: Scope) -> None:
    _set_path(scope, scope["path"].lower())


@came_mutant("HTTP-1", "routes by X-Original-URL, as some proxies' back ends do")
def rerouted_by_header(scope: Scope) -> None:
    for name, value in scope["headers"]:
        if name == b"x-original-url":
            _set_path(scope, value.decode("latin-1"))


@came_mutant("HTTP-1", "drops a malformed escape")
def malformed_escapes_in_paths(scope: Scope) -> None:
    if scope["path"].endswith("%"):
        _set_path(scope, scope["path"].rstrip("%"))


# -- methods -------------------------------------------------------------------------------------


@came_mutant("HTTP-2", "answers HEAD as it would GET")
def head_as_get(scope: Scope) -> None:
    if scope["method"] == "HEAD":
        scope["method"] = "GET"


@came_mutant("HTTP-2", "answers QUERY as it would POST")
def query_method_as_post(scope: Scope) -> None:
    if scope["method"] == "QUERY":
        scope["method"] = "POST"


@change("HTTP-2", "runs a command by GET", f"{_CHECKS}.STAGES.method")
def commands_by_get(check: Original, head: RequestHead, settings: Settings) -> None:
    if head.method != "GET":
        check(head, settings)


@change("HTTP-2", "takes queries by GET alone", f"{_CHECKS}.STAGES.method")
def queries_by_get_alone(check: Original, head: RequestHead, settings: Settings) -> None:
    from wireflight.exchange.codes import ErrorCode, Refusal

    check(head, settings)
    if head.method == "POST" and head.entry is not None and head.entry.is_query:
        raise Refusal(ErrorCode.METHOD_NOT_ALLOWED, allowed_methods="GET")


@change("HTTP-2", "takes any method for POST", f"{_CHECKS}.STAGES.method")
def any_method(check: Original, head: RequestHead, settings: Settings) -> None:
    if head.method not in ("GET", "HEAD", "OPTIONS"):
        head.method = "POST"
    check(head, settings)


# -- query components ----------------------------------------------------------------------------


@change("HTTP-4", "lets the last of two payloads win", f"{_HEAD}.RequestHead.parameters")
def last_parameter_wins(parameters: Original, head: RequestHead, name: bytes) -> object:
    return parameters(head, name)[-1:]


@change("HTTP-4", "lets payload win over arg", f"{_BODY}._read_get")
def payload_over_arg(read: Original, head: RequestHead, *rest: object) -> object:
    if any(name == b"payload" for name, _ in head.query):
        head.query = [pair for pair in head.query if pair[0] != b"arg"]
    return read(head, *rest)


@change("HTTP-4", "leaves a plus as it stands", f"{_HEAD}._form")
def plus_is_plus(form: Original, query: bytes) -> object:
    return form(query.replace(b"+", b"%2B"))


@change("HTTP-4", "splits at semicolons too", f"{_HEAD}._form")
def semicolons(form: Original, query: bytes) -> object:
    return form(query.replace(b";", b"&"))


@change("HTTP-4", "splits a part at its last equals sign", f"{_HEAD}._form")
def last_equals_sign(_: Original, query: bytes) -> object:
    parts = [part.rpartition(b"=") for part in query.split(b"&")]
    return [(unquote_to_bytes(n), unquote_to_bytes(v.replace(b"+", b" "))) for n, _, v in parts]


@change("HTTP-4", "does not decode the names of parameters", f"{_HEAD}._form")
def undecoded_names(form: Original, query: bytes) -> object:
    return form(query.replace(b"%61rg", b"%2561rg").replace(b"%70ayload", b"%2570ayload"))


@change("HTTP-4", "takes a malformed escape as it stands", f"{_HEAD}.has_good_escapes")
def malformed_escapes(_: Original, _text: bytes) -> bool:
    return True


@change("HTTP-4", "refuses parameters that it does not know", f"{_BODY}._read_get")
def unknown_parameters(read: Original, head: RequestHead, *rest: object) -> object:
    from wireflight.exchange.codes import ErrorCode, Refusal

    if any(name not in (b"payload", b"arg", b"") for name, _ in head.query):
        raise Refusal(ErrorCode.INVALID_REQUEST)
    return read(head, *rest)


@change("HTTP-4", "ignores the parameters of a POST", f"{_BODY}._refuse_url_argument")
def parameters_of_a_post(_: Original, _head: RequestHead) -> None:
    return


@change("HTTP-4", "takes an empty arg for none", f"{_BODY}._read_get")
def empty_arg(read: Original, head: RequestHead, *rest: object) -> object:
    head.query = [pair for pair in head.query if pair != (b"arg", b"")]
    return read(head, *rest)


# -- types of bodies -----------------------------------------------------------------------------


@change("HTTP-5", "reads a body of any type as plain JSON", f"{_CHECKS}.STAGES.media type")
def any_type(check: Original, head: RequestHead, settings: Settings) -> None:
    if b"content-type" not in head.fields:
        check(head, settings)


@came_mutant("HTTP-5", "takes a body without a type for plain JSON")
def missing_type(scope: Scope) -> None:
    if scope["method"] == "POST" and not any(n == b"content-type" for n, _ in scope["headers"]):
        scope["headers"].append((b"content-type", b"application/json"))


@came_mutant("HTTP-5", "takes the first of two types")
def first_of_two_types(scope: Scope) -> None:
    seen: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name == b"content-type":
            seen.setdefault(name, value)
    others = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
    scope["headers"] = [*others, *seen.items()]


@change("HTTP-5", "reads bodies of every charset as UTF-8", f"{_CHECKS}.body_encoding")
def any_charset(encoding: Original, field: bytes) -> object:
    return encoding(field.partition(b";")[0])


@change("HTTP-5", "takes the first of two charsets", f"{_CHECKS}.body_encoding")
def first_of_two_charsets(encoding: Original, field: bytes) -> object:
    return encoding(b";".join(field.split(b";")[:2]))


@change("HTTP-5", "compares types with regard to case", f"{_CHECKS}.body_encoding")
def types_in_one_case(encoding: Original, field: bytes) -> object:
    return encoding(field) if field == field.lower() else None


@change("HTTP-5", "refuses types with any parameter", f"{_CHECKS}.body_encoding")
def types_without_parameters(encoding: Original, field: bytes) -> object:
    return None if b";" in field else encoding(field)


@change("HTTP-5", "takes every type that ends in json for plain JSON", f"{_CHECKS}.body_encoding")
def any_json(encoding: Original, field: bytes) -> object:
    return encoding(field) or ("plain" if field.endswith(b"json") else None)


@change("HTTP-5", "takes an empty body for an empty document", f"{_BODY}._decode_body")
def empty_bodies(decode: Original, body: bytes, *rest: object) -> object:
    return decode(body, *rest) if body else {}


@change("HTTP-5", "checks the type of a GET too", f"{_CHECKS}.STAGES.media type")
def types_of_gets(check: Original, head: RequestHead, settings: Settings) -> None:
    is_typed_get = head.method == "GET" and b"content-type" in head.fields
    head.method = "POST" if is_typed_get else head.method
    check(head, settings)
    head.method = "GET" if is_typed_get else head.method


# -- documents of requests -----------------------------------------------------------------------


@change("HTTP-6", "takes a body that is no object for an empty one", "wireflight.messages._members")
def bodies_that_are_no_objects(members: Original, value: object) -> object:
    return members(value if isinstance(value, dict) else {})


@change("HTTP-6", "takes a member that is null for an absent one", "wireflight.messages._members")
def null_is_absent(members: Original, value: object) -> object:
    return {name: part for name, part in members(value).items() if part is not None}


@change("HTTP-6", "takes a member that is undefined for one that is there", f"{_BODY}._decode_body")
def undefined_is_present(decode: Original, *rest: object) -> object:
    import msgspec

    value = decode(*rest)
    if isinstance(value, dict):
        # as JSON has it, where nothing is undefined
        return {name: None if part is msgspec.UNSET else part for name, part in value.items()}
    return value


@change("HTTP-6", "lets payload win over arg in a body", f"{_BODY}.read_query_body")
def payload_over_arg_in_bodies(read: Original, value: Any, **kwargs: bool) -> object:
    if isinstance(value, dict) and "payload" in value and kwargs["takes_argument"]:
        value = {name: part for name, part in value.items() if name != "arg"}
    return read(value, **kwargs)


@change("HTTP-6", "takes the arg of a query in Wireflight encoding", f"{_BODY}.read_query_body")
def query_arg_in_payload_text(read: Original, value: object, **_: bool) -> object:
    return read(value, takes_argument=True)


@change("HTTP-6", "ignores the payload of a command", f"{_BODY}.read_command_body")
def payload_of_a_command(read: Original, value: Any) -> object:
    if isinstance(value, dict):
        value = {name: part for name, part in value.items() if name != "payload"}
    return read(value)


@change("HTTP-6", "takes a payload of any type for its text", f"{_BODY}.read_query_body")
def payload_of_any_type(read: Original, value: Any, **kwargs: bool) -> object:
    if isinstance(value, dict) and isinstance(value.get("payload"), int):
        value = {**value, "payload": ""}
    return read(value, **kwargs)


@change("HTTP-7", "refuses members that it does not know", "wireflight.messages._members")
def unknown_members(members: Original, value: object) -> object:
    from wireflight.messages import MalformedDocument

    found = members(value)
    if set(found) - {"arg", "payload", "refreshes"}:
        raise MalformedDocument("an unknown member")
    return found


@came_mutant("HTTP-8", "ignores Content-Encoding")
def ignored_codings(scope: Scope) -> None:
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"content-encoding"]


@change("HTTP-8", "refuses every Content-Encoding", f"{_CHECKS}.STAGES.media type")
def every_coding(check: Original, head: RequestHead, settings: Settings) -> None:
    if b"content-encoding" in head.fields:
        head.fields[b"content-encoding"] = b"gzip"
    check(head, settings)


@came_mutant("HTTP-8", "takes identity however often it stands")
def repeated_identity(scope: Scope) -> None:
    codings = [v for n, v in scope["headers"] if n == b"content-encoding"]
    if codings and all(part.strip() == b"identity" for v in codings for part in v.split(b",")):
        ignored_codings(scope)


# -- pages ---------------------------------------------------------------------------------------


def _page(scope: Scope) -> bytes | None:
    return next((v for n, v in scope["headers"] if n == b"wireflight-page"), None)


@came_mutant("HTTP-14", "routes by the claimed page")
def routes_by_page(scope: Scope) -> None:
    page = _page(scope)
    if page is not None and page.startswith(b"/fx/"):
        _set_path(scope, page.decode("latin-1"))


@came_mutant("HTTP-14", "takes a claimed page of another site for a cross-site request")
def refuses_foreign_pages(scope: Scope) -> None:
    if (_page(scope) or b"").startswith(b"http"):
        scope["headers"].append((b"sec-fetch-site", b"cross-site"))


@came_mutant("HTTP-14", "takes a request with a claimed page for one of the same origin")
def trusts_pages(scope: Scope) -> None:
    if _page(scope) is not None:
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"sec-fetch-site"]


# -- statuses and types of responses -------------------------------------------------------------


@sent_mutant("HTTP-11", "answers every refusal with 200, as some servers of this kind do")
def errors_as_200(sent: Sent) -> None:
    if sent.status >= 400:
        sent.status = 200


@sent_mutant("HTTP-11", "answers every refusal with 400, whatever its error says")
def errors_as_400(sent: Sent) -> None:
    sent.status = min(400, sent.status)


@sent_mutant("HTTP-10", "sends refusals as text")
def errors_as_text(sent: Sent) -> None:
    if sent.status >= 400:
        sent.put("content-type", "text/plain; charset=utf-8")


@sent_mutant("HTTP-10", "sends two types")
def two_types(sent: Sent) -> None:
    if sent.status >= 400:
        sent.add("content-type", "application/json")


@sent_mutant("HTTP-10", "sends a second document after the first")
def two_documents(sent: Sent) -> None:
    if sent.scope["method"] == "POST":
        sent.body += b"{}"


@sent_mutant("HTTP-10", "sends a byte order mark before the document")
def byte_order_mark(sent: Sent) -> None:
    if sent.scope["method"] == "POST":
        sent.body = b"\xef\xbb\xbf" + sent.body


@sent_mutant("HTTP-10", "sends a Content-Type with 204")
def type_of_nothing(sent: Sent) -> None:
    if sent.status == 204:
        sent.put("content-type", "application/json")


@sent_mutant("HTTP-10", "sends payload texts as plain JSON")
def mislabelled(sent: Sent) -> None:
    if sent.is_wireflight and sent.status >= 400:
        sent.put("content-type", "application/json")
