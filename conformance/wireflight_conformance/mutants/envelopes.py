"""Faults in envelopes (section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireflight_conformance.mutants.changing import Original, change
from wireflight_conformance.mutants.rewriting import Document, Sent, document_mutant, sent_mutant

if TYPE_CHECKING:
    from wireflight.exchange.settings import Settings
    from wireflight.functions import Frame
    from wireflight.functions.event import Cookies
    from wireflight.functions.updates import Plan

_ENDING = "wireflight.runtime.ending"
_COMMANDING = "wireflight.runtime.commanding"
_ALLOWED = f"{_ENDING}.is_location_allowed"


# -- forms ---------------------------------------------------------------------------------------


@document_mutant("ENV-1", "sends the value of a command under another name")
def result_of_a_command(document: Document, sent: Sent) -> None:
    if sent.path == "/fx/run" and "value" in document:
        document["result"] = document.pop("value")


@document_mutant("ENV-1", "sends null for a missing value")
def null_for_undefined(document: Document, _: Sent) -> None:
    if document.get("type") == "result":
        document.setdefault("value", None)


@document_mutant("ENV-1", "leaves a value of null out")
def null_left_out(document: Document, _: Sent) -> None:
    if document.get("type") == "result" and document.get("value", 0) is None:
        del document["value"]


@document_mutant("ENV-1", "sends errors without a message")
def errors_without_message(document: Document, _: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict):
        document["error"] = {name: part for name, part in error.items() if name != "message"}


@document_mutant("ENV-1", "sends an error as it is, without an envelope")
def bare_errors(document: Document, _: Sent) -> None:
    error = document.pop("error", None)
    if isinstance(error, dict):
        document.clear()
        document.update(error)


@document_mutant("ENV-1", "sends the type of a refusal in capitals")
def another_type(document: Document, _: Sent) -> None:
    if document.get("type") == "error":
        document["type"] = "ERROR"


@sent_mutant("ENV-2", "sends a redirect as 303 with Location")
def http_redirect(sent: Sent) -> None:
    document = sent.document
    if isinstance(document, dict) and document.get("type") == "redirect":
        sent.status = 303
        sent.put("location", str(document["location"]).encode("ascii", "ignore").decode())


@sent_mutant("ENV-2", "sends a Location field with a redirect")
def location_field(sent: Sent) -> None:
    document = sent.document
    if isinstance(document, dict) and document.get("type") == "redirect":
        sent.put("location", str(document["location"]).encode("ascii", "ignore").decode())


@document_mutant("ENV-2", "names 500 in every error from 500 on, whatever the status")
def another_status(document: Document, sent: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and sent.status > 500:
        document["error"] = {**error, "status": 500}


@sent_mutant("ENV-2", "answers a command that returned nothing with 201")
def created(sent: Sent) -> None:
    if sent.path == "/fx/run" and sent.status == 200:
        sent.status = 201


@document_mutant("ENV-3", "sends no stamp with the result of a command")
def commands_without_stamp(document: Document, sent: Sent) -> None:
    if sent.path == "/fx/run":
        document.pop("at", None)


@document_mutant("ENV-3", "sends no stamp with the result of a query by POST")
def queries_without_stamp(document: Document, sent: Sent) -> None:
    if sent.scope["method"] == "POST" and sent.path != "/fx/run":
        document.pop("at", None)


# -- redirects -----------------------------------------------------------------------------------


@change("ENV-4", "answers a query that redirects with an error", f"{_ENDING}.Judge._redirected")
def queries_that_redirect(redirected: Original, *args: object, **_: bool) -> object:
    return redirected(*args, is_query=False)


@document_mutant("ENV-4", "sends a redirect as the result of the query")
def redirect_as_result(document: Document, _: Sent) -> None:
    if document.get("type") == "redirect":
        document["type"] = "result"
        document["value"] = document.pop("location")
        document["at"] = "aaaaaaaaaaaa.0000000000000000"


@change("ENV-5", "answers a command that redirects as a query", f"{_ENDING}.Judge._redirected")
def commands_that_redirect(redirected: Original, *args: object, **_: bool) -> object:
    return redirected(*args, is_query=True)


@change("ENV-5", "takes a redirect for the success of a command", f"{_ENDING}.Judge._redirected")
def redirect_is_success(redirected: Original, *args: object, is_query: bool) -> object:
    from wireflight.runtime.ending import Returned

    return redirected(*args, is_query=True) if is_query else Returned(None)


@change("ENV-6", "lets a query redirect to any place", _ALLOWED)
def any_location(_: Original, _location: str, _settings: Settings) -> bool:
    return True


@change("ENV-6", "lets everything pass that begins with a slash", _ALLOWED)
def any_slash(allowed: Original, location: str, settings: Settings) -> object:
    return location.startswith("/") or allowed(location, settings)


@change("ENV-6", "looks for an allowed origin at the beginning", _ALLOWED)
def origin_as_prefix(allowed: Original, location: str, settings: Settings) -> object:
    return location.startswith("https://allowed.example") or allowed(location, settings)


@change("ENV-6", "lets a line end stand at the end of a location", _ALLOWED)
def line_end_at_the_end(allowed: Original, location: str, settings: Settings) -> object:
    return allowed(location.removesuffix("\n"), settings)


@change("ENV-6", "compares hosts without regard to case", _ALLOWED)
def hosts_in_any_case(allowed: Original, location: str, settings: Settings) -> object:
    return allowed(location.lower(), settings)


@change("ENV-6", "allows an origin whatever its port", _ALLOWED)
def any_port(allowed: Original, location: str, settings: Settings) -> object:
    return allowed(location.replace(":8443", ""), settings)


@change("ENV-6", "allows an origin without TLS", _ALLOWED)
def without_tls(allowed: Original, location: str, settings: Settings) -> object:
    return allowed(location.replace("http://", "https://"), settings)


@change("ENV-6", "refuses other origins, allowed or not", _ALLOWED)
def paths_alone(allowed: Original, location: str, settings: Settings) -> object:
    return location.startswith("/") and allowed(location, settings)


@change("ENV-6", "trims a location before it is checked", _ALLOWED)
def trimmed(allowed: Original, location: str, settings: Settings) -> object:
    return allowed(location.replace("\t", "").replace(" ", ""), settings)


# -- results that cannot be encoded --------------------------------------------------------------


@document_mutant("ENV-8", "answers a query whose result cannot be encoded with internal")
def unencodable_is_internal(document: Document, sent: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and error["code"] == "unencodable_result" and "act" in sent.path:
        document["error"] = {**error, "code": "internal"}


@document_mutant("ENV-8", "sends null for a result that cannot be encoded")
def query_result_is_null(document: Document, sent: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and error["code"] == "unencodable_result" and "act" in sent.path:
        sent.status = 200
        del document["error"]
        document.update(type="result", value=None, at="aaaaaaaaaaaa.0000000000000000")


@change("ENV-9", "forgets what the handler named", f"{_COMMANDING}.stale_updates")
def forgets_named(stale: Original, plan: Any, requested: object) -> object:
    from wireflight.functions.updates import Plan

    kept = Plan()
    kept.is_reset, kept.invalidates_all = plan.is_reset, plan.invalidates_all
    kept.function_ids = plan.function_ids
    return stale(kept, requested)


@change("ENV-9", "forgets the requested keys", f"{_COMMANDING}.stale_updates")
def forgets_requested(stale: Original, plan: Plan, _: object) -> object:
    return stale(plan, ())


@change(
    "ENV-9", "forgets the functions that the handler invalidated", f"{_COMMANDING}.stale_updates"
)
def forgets_functions(stale: Original, plan: Plan, requested: object) -> object:
    ids, plan.function_ids = plan.function_ids, {}
    try:
        return stale(plan, requested)
    finally:
        plan.function_ids = ids


@change("ENV-9", "forgets requested strings that are no keys", f"{_COMMANDING}.stale_updates")
def forgets_what_is_no_key(stale: Original, plan: Plan, requested: Any) -> object:
    return stale(plan, [asked for asked in requested if asked.refusal is None])


@change("ENV-9", "forgets a reset", f"{_COMMANDING}.stale_updates")
def forgets_reset(stale: Original, plan: Plan, requested: object) -> object:
    plan.is_reset = False
    return stale(plan, requested)


@change("ENV-9", "keeps a reset as it is", f"{_COMMANDING}.stale_updates")
def keeps_reset(stale: Original, plan: Plan, requested: object) -> object:
    from wireflight.messages import Reset

    found = stale(plan, requested)
    return [Reset(), *found[1:]] if plan.is_reset else found


@change("ENV-9", "refreshes before it looks at its own result", f"{_COMMANDING}._refused_result")
def refreshes_first(_: Original, *_args: object) -> None:
    return


@document_mutant("ENV-9", "sends a result of null where it cannot be encoded")
def unencodable_is_null(document: Document, sent: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and error["code"] == "unencodable_result" and "run" in sent.path:
        sent.status = 200
        del document["error"]
        document.update(type="result", value=None, at="aaaaaaaaaaaa.0000000000000000")


# -- cookies of queries --------------------------------------------------------------------------


@change(
    "ENV-10", "drops the cookies of a query in silence", "wireflight.functions.event.Cookies.set"
)
def silent_cookies(set_cookie: Original, cookies: Cookies, *args: object, **kwargs: Any) -> None:
    if not cookies._frame.is_query:  # noqa: SLF001
        set_cookie(cookies, *args, **kwargs)


@change("ENV-10", "sends the cookies of a query", "wireflight.functions.event.Cookies.set")
def cookies_of_queries(
    set_cookie: Original, cookies: Cookies, *args: object, **kwargs: Any
) -> None:
    frame: Frame = cookies._frame  # noqa: SLF001
    is_query, frame.is_query = frame.is_query, False
    try:
        set_cookie(cookies, *args, **kwargs)
    finally:
        frame.is_query = is_query


@document_mutant("ENV-10", "says internal of a query that sets a cookie")
def cookie_is_internal(document: Document, _: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and error["code"] == "cookie_in_query":
        document["error"] = {**error, "code": "internal"}
