"""Faults in origins, cookies and caches (section 18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireflight_conformance.mutants.changing import Original, change
from wireflight_conformance.mutants.rewriting import Sent, sent_mutant

if TYPE_CHECKING:
    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.settings import Settings

_HOST: Final = "wireflight.exchange.checks.is_host_allowed"
_ORIGIN: Final = "wireflight.exchange.checks.is_origin_allowed"
_OWN: Final = "wireflight.exchange.origin._is_own_origin"
_ALLOWED: Final = b"https://allowed.example"


# -- hosts ---------------------------------------------------------------------------------------


@change("SEC-1", "answers for every host", _HOST)
def every_host(_: Original, _head: RequestHead, _settings: Settings) -> bool:
    return True


@change("SEC-1", "looks for its name at the beginning of Host", _HOST)
def host_as_prefix(_: Original, head: RequestHead, settings: Settings) -> bool:
    host = head.fields.get(b"host", b"").lower()
    return any(host.startswith(name) for name in settings.allowed_hosts or ())


@change("SEC-1", "looks for its name at the end of Host", _HOST)
def host_as_suffix(_: Original, head: RequestHead, settings: Settings) -> bool:
    host = head.fields.get(b"host", b"").lower().rpartition(b":")
    return any((host[0] or host[2]).endswith(name) for name in settings.allowed_hosts or ())


@change("SEC-1", "compares hosts with regard to case", _HOST)
def hosts_in_one_case(allowed: Original, head: RequestHead, settings: Settings) -> object:
    host = head.fields.get(b"host", b"")
    return host == host.lower() and allowed(head, settings)


@change("SEC-1", "takes an empty Host for its own", _HOST)
def empty_host(allowed: Original, head: RequestHead, settings: Settings) -> object:
    return not head.fields.get(b"host") or allowed(head, settings)


@change("SEC-1", "compares hosts with their ports", _HOST)
def hosts_with_ports(allowed: Original, head: RequestHead, settings: Settings) -> object:
    host = head.fields.get(b"host", b"")
    return not host.endswith(b":1") and allowed(head, settings)


@change("SEC-1", "takes all behind the first colon for a port", _HOST)
def hosts_up_to_a_colon(allowed: Original, head: RequestHead, settings: Settings) -> object:
    host = head.fields.get(b"host", b"")
    head.fields[b"host"] = host if host.startswith(b"[") else host.partition(b":")[0]
    return allowed(head, settings)


@change("SEC-1", "answers for every host by GET", _HOST)
def every_host_by_get(allowed: Original, head: RequestHead, settings: Settings) -> object:
    return head.method == "GET" or allowed(head, settings)


# -- origins -------------------------------------------------------------------------------------


@change("SEC-2", "checks no origin", _ORIGIN)
def every_origin(_: Original, _head: RequestHead, _settings: Settings) -> bool:
    return True


@change("SEC-2", "checks the origins of commands alone", _ORIGIN)
def origins_of_commands(allowed: Original, head: RequestHead, settings: Settings) -> object:
    is_query = head.entry is not None and head.entry.is_query and head.method != "GET"
    return is_query or allowed(head, settings)


@change("SEC-2", "lets same-site pass", _ORIGIN, step=1)
def same_site(allowed: Original, head: RequestHead, settings: Settings) -> object:
    is_same = head.fields.get(b"sec-fetch-site") == b"same-site" and head.method != "GET"
    return is_same or allowed(head, settings)


@change("SEC-2", "refuses none, as of a bookmark", _ORIGIN, step=1)
def none_refused(allowed: Original, head: RequestHead, settings: Settings) -> object:
    return head.fields.get(b"sec-fetch-site") != b"none" and allowed(head, settings)


@change("SEC-2", "refuses cross-site from an allowed origin", _ORIGIN, step=1)
def allowed_cross_site(allowed: Original, head: RequestHead, settings: Settings) -> object:
    return head.fields.get(b"sec-fetch-site") != b"cross-site" and allowed(head, settings)


@change("SEC-2", "lets cross-site pass if Origin is Host", _ORIGIN, step=1)
def host_over_site(allowed: Original, head: RequestHead, settings: Settings) -> object:
    from wireflight.exchange import origin

    own = head.fields.get(b"origin")
    if own is not None and head.method != "GET" and origin._is_own_origin(own, head, settings):  # noqa: SLF001
        return True
    return allowed(head, settings)


@change("SEC-2", "lets a value of Sec-Fetch-Site pass that it does not know", _ORIGIN, step=1)
def unknown_sites(allowed: Original, head: RequestHead, settings: Settings) -> object:
    site = head.fields.get(b"sec-fetch-site")
    return (site is not None and b"s" not in site) or allowed(head, settings)


@change("SEC-2", "lets a null Origin pass", _OWN, step=2)
def null_origin(own: Original, origin: bytes, *rest: object) -> object:
    return origin == b"null" or own(origin, *rest)


@change("SEC-2", "compares Origin with Host by its beginning", _OWN, step=2)
def origin_as_prefix(_: Original, origin: bytes, head: RequestHead, _settings: Settings) -> bool:
    return origin.partition(b"://")[2].startswith(head.fields.get(b"host", b"-"))


@change("SEC-2", "compares Origin with Host by its end", _OWN, step=2)
def origin_as_suffix(own: Original, origin: bytes, head: RequestHead, settings: Settings) -> object:
    return origin.endswith(head.fields.get(b"host", b"-")) or own(origin, head, settings)


@change("SEC-2", "compares Origin and Host without their ports", _OWN, step=2)
def without_ports(own: Original, origin: bytes, head: RequestHead, settings: Settings) -> object:
    host = head.fields.get(b"host", b"").partition(b":")[0]
    return origin.partition(b"://")[2].partition(b":")[0] == host or own(origin, head, settings)


@change("SEC-2", "compares schemes, behind whatever proxy", _OWN, step=2)
def with_schemes(own: Original, origin: bytes, *rest: object) -> object:
    return origin.startswith(b"http://") and own(origin, *rest)


@change("SEC-2", "compares Origin with regard to case", _OWN, step=2)
def with_case(_: Original, origin: bytes, head: RequestHead, _settings: Settings) -> bool:
    def bare(authority: bytes) -> bytes:
        return authority.removesuffix(b":80").removesuffix(b":443")

    return bare(origin.partition(b"://")[2]) == bare(head.fields.get(b"host", b"-"))


@change("SEC-2", "takes a default port for another port", _OWN, step=2)
def default_ports(_: Original, origin: bytes, head: RequestHead, _settings: Settings) -> bool:
    return origin.partition(b"://")[2].lower() == head.fields.get(b"host", b"-").lower()


@change("SEC-2", "refuses an Origin that is on the list, without Sec-Fetch-Site", _ORIGIN, step=2)
def listed_refused(allowed: Original, head: RequestHead, settings: Settings) -> object:
    if b"sec-fetch-site" not in head.fields and head.method != "GET":
        head.is_allowed_origin = False
    return allowed(head, settings)


@change("SEC-2", "looks for a listed origin at the beginning of Origin", _ORIGIN, step=2)
def listed_as_prefix(allowed: Original, head: RequestHead, settings: Settings) -> object:
    return head.fields.get(b"origin", b"").startswith(_ALLOWED) or allowed(head, settings)


@change("SEC-2", "lets subdomains of a listed origin pass", _ORIGIN, step=2)
def subdomains(allowed: Original, head: RequestHead, settings: Settings) -> object:
    return head.fields.get(b"origin", b"").endswith(b".allowed.example") or allowed(head, settings)


@change("SEC-2", "lets every POST pass that has neither field", _ORIGIN, step=3)
def neither_field(allowed: Original, head: RequestHead, settings: Settings) -> object:
    has_none = b"origin" not in head.fields and b"sec-fetch-site" not in head.fields
    return has_none or allowed(head, settings)


@change("SEC-2", "refuses every POST that has neither field", _ORIGIN, step=3)
def neither_refused(allowed: Original, head: RequestHead, settings: Settings) -> object:
    has_one = b"origin" in head.fields or b"sec-fetch-site" in head.fields
    return (has_one or head.method == "GET") and allowed(head, settings)


@change("SEC-2", "lets a type pass that begins with ours", _ORIGIN, step=3)
def type_as_prefix(allowed: Original, head: RequestHead, settings: Settings) -> object:
    has_none = b"origin" not in head.fields and b"sec-fetch-site" not in head.fields
    is_ours = head.fields.get(b"content-type", b"").startswith(b"application/json")
    return (has_none and is_ours) or allowed(head, settings)


@change("SEC-2", "does not regard a version", _ORIGIN, step=3)
def version_disregarded(allowed: Original, head: RequestHead, settings: Settings) -> object:
    version = head.fields.pop(b"wireflight-version", None)
    try:
        return allowed(head, settings)
    finally:
        if version is not None:
            head.fields[b"wireflight-version"] = version


@change("SEC-2", "takes the first of two Origin fields", _ORIGIN)
def first_origin(allowed: Original, head: RequestHead, settings: Settings) -> object:
    head.repeated = frozenset(head.repeated) - {b"origin"}
    head.is_allowed_origin = head.fields.get(b"origin") == _ALLOWED
    return allowed(head, settings)


@change("SEC-2", "takes the first of two Sec-Fetch-Site fields", _ORIGIN)
def first_site(allowed: Original, head: RequestHead, settings: Settings) -> object:
    head.repeated = frozenset(head.repeated) - {b"sec-fetch-site"}
    return allowed(head, settings)


@change("SEC-3", "answers every GET", _ORIGIN)
def every_get(allowed: Original, head: RequestHead, settings: Settings) -> object:
    return head.method == "GET" or allowed(head, settings)


@change("SEC-3", "answers a GET of the same site", _ORIGIN)
def same_site_get(allowed: Original, head: RequestHead, settings: Settings) -> object:
    is_get = head.method == "GET" and head.fields.get(b"sec-fetch-site") == b"same-site"
    return is_get or allowed(head, settings)


@change("SEC-3", "answers every GET for the manifest", _ORIGIN)
def manifest_for_all(allowed: Original, head: RequestHead, settings: Settings) -> object:
    return head.is_manifest or allowed(head, settings)


@change("SEC-3", "refuses a cross-site GET of an allowed origin", _ORIGIN)
def allowed_get_refused(allowed: Original, head: RequestHead, settings: Settings) -> object:
    is_cross = head.method == "GET" and head.fields.get(b"sec-fetch-site") == b"cross-site"
    return not is_cross and allowed(head, settings)


@change("SEC-3", "refuses a GET with an Origin that is not allowed", _ORIGIN)
def origins_of_gets(allowed: Original, head: RequestHead, settings: Settings) -> object:
    has_origin = head.method == "GET" and b"origin" in head.fields
    return (not has_origin or head.is_allowed_origin) and allowed(head, settings)


# -- fields of responses -------------------------------------------------------------------------


@sent_mutant("SEC-4", "sends errors without nosniff")
def errors_without_nosniff(sent: Sent) -> None:
    if sent.status >= 400:
        sent.drop("x-content-type-options")


@sent_mutant("SEC-4", "lets the results of queries by GET be stored")
def cached_queries(sent: Sent) -> None:
    if sent.scope["method"] == "GET" and sent.status == 200:
        sent.put("cache-control", "private, max-age=60")


@sent_mutant("SEC-4", "lets unknown paths be stored")
def cached_404(sent: Sent) -> None:
    if sent.status == 404:
        sent.drop("cache-control")


@sent_mutant("SEC-4", "shares responses with every site that is allowed")
def shared_responses(sent: Sent) -> None:
    if sent.header("access-control-allow-origin") is not None:
        sent.put("cross-origin-resource-policy", "cross-origin")


@sent_mutant("SEC-5", "varies by Accept alone")
def varies_by_accept(sent: Sent) -> None:
    sent.put("vary", "Accept")


@sent_mutant("SEC-5", "sends errors without Vary")
def errors_without_vary(sent: Sent) -> None:
    if sent.status >= 400:
        sent.drop("vary")


@sent_mutant("SEC-6", "sends an ETag with the result of a query")
def etag(sent: Sent) -> None:
    if sent.scope["method"] == "GET" and sent.status == 200:
        sent.put("etag", '"1"')


@sent_mutant("SEC-6", "answers a conditional request with 304")
def not_modified(sent: Sent) -> None:
    if sent.request_header("if-none-match") is not None and sent.status == 200:
        sent.status = 304
        sent.body = b""


# -- other sites ---------------------------------------------------------------------------------


@sent_mutant("SEC-7", "answers a preflight with 200")
def preflight_200(sent: Sent) -> None:
    if sent.status == 204:
        sent.status = 200


@sent_mutant("SEC-7", "allows every method")
def every_method(sent: Sent) -> None:
    if sent.status == 204:
        sent.put("access-control-allow-methods", "GET, POST, PUT, DELETE")


@sent_mutant("SEC-7", "does not allow Wireflight-Page")
def a_field_less(sent: Sent) -> None:
    names = sent.header("access-control-allow-headers")
    if names is not None:
        kept = [name for name in names.split(", ") if name.lower() != "wireflight-page"]
        sent.put("access-control-allow-headers", ", ".join(kept))


@sent_mutant("SEC-7", "allows no credentials in a preflight")
def preflight_without_credentials(sent: Sent) -> None:
    if sent.status == 204:
        sent.drop("access-control-allow-credentials")


@change("SEC-7", "answers every preflight", "wireflight.exchange.checks.STAGES.method")
def every_preflight(check: Original, head: RequestHead, settings: Settings) -> None:
    head.is_allowed_origin = head.is_allowed_origin or (
        head.method == "OPTIONS" and b"origin" in head.fields
    )
    check(head, settings)


@change(
    "SEC-7", "answers a preflight of its own origin", "wireflight.exchange.checks.STAGES.method"
)
def own_preflight(check: Original, head: RequestHead, settings: Settings) -> None:
    from wireflight.exchange import origin

    own = head.fields.get(b"origin")
    if head.method == "OPTIONS" and own and origin._is_own_origin(own, head, settings):  # noqa: SLF001
        head.is_allowed_origin = True
    check(head, settings)


@sent_mutant("SEC-8", "allows every origin to read")
def star(sent: Sent) -> None:
    if sent.request_header("origin") is not None:
        sent.put("access-control-allow-origin", "*")


@sent_mutant("SEC-8", "repeats every Origin")
def repeats_origin(sent: Sent) -> None:
    origin = sent.request_header("origin")
    if origin is not None and sent.status == 200:
        sent.put("access-control-allow-origin", origin)
        sent.put("access-control-allow-credentials", "true")


@sent_mutant("SEC-8", "does not let an allowed origin read errors")
def unreadable_errors(sent: Sent) -> None:
    if sent.status >= 400:
        sent.drop("access-control-allow-origin")


@sent_mutant("SEC-8", "says no word of credentials")
def no_credentials(sent: Sent) -> None:
    if sent.status == 200:
        sent.drop("access-control-allow-credentials")


# -- methods -------------------------------------------------------------------------------------


@sent_mutant("SEC-11", "says nothing of the methods that it takes")
def no_allow(sent: Sent) -> None:
    sent.drop("allow")


@sent_mutant("SEC-11", "lists OPTIONS too")
def allow_options(sent: Sent) -> None:
    allow = sent.header("allow")
    if allow is not None:
        sent.put("allow", f"{allow}, OPTIONS")


@sent_mutant("SEC-11", "lists GET for commands")
def allow_get(sent: Sent) -> None:
    if sent.header("allow") is not None:
        sent.put("allow", "GET, POST")
