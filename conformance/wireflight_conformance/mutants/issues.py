"""Faults in validation issues (section 13)."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any, Final

from wireflight_conformance.mutants.changing import Original, change
from wireflight_conformance.mutants.rewriting import Document, Sent, document_mutant

if TYPE_CHECKING:
    from collections.abc import Callable

_INVALID: Final = "wireflight.runtime.ending.Judge.invalid_argument"


def _edit(document: Document, edit: Callable[[dict[str, Any]], None]) -> None:
    error = document.get("error")
    if isinstance(error, dict) and isinstance(error.get("issues"), list):
        copies = [dict(issue) for issue in error["issues"]]
        for copy in copies:
            edit(copy)
        document["error"] = {**error, "issues": copies}


def _recode(document: Document, old: str, new: str) -> None:
    def edit(issue: dict[str, Any]) -> None:
        if issue["code"] == old:
            issue["code"] = new

    _edit(document, edit)


def _replace(document: Document, make: Callable[[list[Any]], list[Any] | None]) -> None:
    error = document.get("error")
    if isinstance(error, dict) and isinstance(error.get("issues"), list):
        issues = make(list(error["issues"]))
        rest = {name: part for name, part in error.items() if name != "issues"}
        document["error"] = rest if issues is None else {**rest, "issues": issues}


@document_mutant("ISS-1", "has codes of its library")
def codes_of_a_library(document: Document, _: Sent) -> None:
    _recode(document, "max_length", "string_too_long")


@document_mutant("ISS-1", "calls a member that is missing a fault of type")
def missing_is_type(document: Document, _: Sent) -> None:
    _recode(document, "required", "type")


@document_mutant("ISS-1", "says nothing of what it expected")
def without_expected(document: Document, _: Sent) -> None:
    def edit(issue: dict[str, Any]) -> None:
        if issue["code"] == "type":
            issue.pop("params", None)

    _edit(document, edit)


@document_mutant("ISS-1", "names a limit by the word of its library")
def other_params(document: Document, _: Sent) -> None:
    def edit(issue: dict[str, Any]) -> None:
        params = issue.get("params", {})
        if issue["code"] == "maximum":
            issue["params"] = {"le": params["limit"]}

    _edit(document, edit)


@document_mutant("ISS-1", "names types by the words of its language")
def types_of_a_language(document: Document, _: Sent) -> None:
    def edit(issue: dict[str, Any]) -> None:
        if issue["code"] == "type":
            issue["params"] = {"expected": "str"}

    _edit(document, edit)


@document_mutant("ISS-1", "lists no choices")
def no_choices(document: Document, _: Sent) -> None:
    def edit(issue: dict[str, Any]) -> None:
        if issue["code"] == "choice":
            issue.pop("params", None)

    _edit(document, edit)


@document_mutant("ISS-1", "calls a value of another type none of the choices")
def choices_of_another_type(document: Document, _: Sent) -> None:
    def edit(issue: dict[str, Any]) -> None:
        if issue["path"] == ["mode"] and issue["code"] == "type":
            issue.update(code="choice", params={"choices": ["a", "b"]})

    _edit(document, edit)


@document_mutant("ISS-1", "sends issues without a message")
def no_messages(document: Document, _: Sent) -> None:
    _edit(document, lambda issue: issue.pop("message") and None)


@document_mutant("ISS-2", "repeats the argument in the message of an issue")
def repeats_values(document: Document, sent: Sent) -> None:
    payload = sent.scope["query_string"].partition(b"payload=")[2]
    text = urlsafe_b64decode(payload[: len(payload) // 4 * 4]).decode("utf-8", "replace")
    _edit(document, lambda issue: issue.update(message=f"refused in {text}"))


@document_mutant("ISS-2", "sends the argument beside an issue, as some libraries do")
def input_beside(document: Document, sent: Sent) -> None:
    payload = sent.scope["query_string"].partition(b"payload=")[2]
    text = urlsafe_b64decode(payload[: len(payload) // 4 * 4]).decode("utf-8", "replace")
    _edit(document, lambda issue: issue.update(input=text))


@document_mutant("ISS-3", "sends every issue")
def every_issue(document: Document, _: Sent) -> None:
    def more(issues: list[Any]) -> list[Any]:
        if issues[-1]["code"] != "truncated":
            return issues
        return issues[:-1] + issues[:50]

    _replace(document, more)


@document_mutant("ISS-3", "cuts issues off in silence")
def silent_cut(document: Document, _: Sent) -> None:
    _replace(document, lambda issues: issues[:100])


@document_mutant("ISS-3", "sends an empty list of issues")
def no_issues(document: Document, _: Sent) -> None:
    _replace(document, lambda _issues: [])


@change("ISS-4", "sends issues unasked", _INVALID)
async def always_details(invalid: Original, *args: object, **_: bool) -> object:
    return await invalid(*args, sends_details=True)


@document_mutant("ISS-4", "calls an argument that its type refuses a broken request")
def other_code(document: Document, _: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and error.get("code") == "invalid_argument":
        document["error"] = {**error, "code": "invalid_request"}


@document_mutant("ISS-5", "sends the first issue alone")
def first_issue(document: Document, _: Sent) -> None:
    _replace(document, lambda issues: issues[:1])


@document_mutant("ISS-5", "sends paths without what is inside")
def short_paths(document: Document, _: Sent) -> None:
    _edit(document, lambda issue: issue.update(path=issue["path"][:1]))


@document_mutant("ISS-5", "sends the pair of a map alone for its key and its value")
def pairs_of_maps(document: Document, _: Sent) -> None:
    _edit(document, lambda issue: issue.update(path=issue["path"][:2]))


@document_mutant("ISS-5", "sends paths as texts")
def paths_as_texts(document: Document, _: Sent) -> None:
    _edit(document, lambda issue: issue.update(path=".".join(map(str, issue["path"]))))


@document_mutant("ISS-5", "sends nothing of members that it does not know")
def unknown_members_unsaid(document: Document, _: Sent) -> None:
    _replace(document, lambda issues: [i for i in issues if i["code"] != "unknown_member"])
