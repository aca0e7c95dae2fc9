"""The faults of codecs: one row for each, and one for each step that a codec can leave out.

A row names the word that `codec_reading`, `codec_writing` or `codec_stepwise` knows, the clause
(with the step of its algorithm) that breaks, and what the codec then does.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from wireflight_conformance.mutants import codec_control, codec_mutant
from wireflight_conformance.mutants.codec_stepwise import stepwise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireflight_conformance.corpus import Json
    from wireflight_conformance.mutants import Answering

_READING: Final = (
    ("bom", "PAY-6.1", "skips a byte order mark"),
    ("utf8", "PAY-6.1", "replaces bytes that are not UTF-8"),
    ("utf8-surrogates", "PAY-6.1", "reads surrogates in UTF-8"),
    ("constants", "PAY-6.2", "reads NaN and Infinity as numbers"),
    ("trailing-text", "PAY-6.2", "stops at the end of the first JSON text"),
    ("trailing-commas", "PAY-6.2", "reads trailing commas"),
    ("control-characters", "PAY-6.2", "reads raw control characters in strings"),
    ("overflow", "PAY-6.3", "reads 1e400 as Infinity"),
    ("minus-zero", "PAY-6.3", "reads the literal -0"),
    ("surrogates", "PAY-6.4", "reads escaped unpaired surrogates"),
    ("bare-number", "PAY-6.5", "reads any bare number"),
    ("bare-hole", "PAY-6.5", "reads -2 and -7 as undefined"),
    ("bare-value", "PAY-6.6", "reads any bare JSON as null"),
    ("empty-table", "PAY-6.6", "reads a table without entries"),
    ("table-limit", "PAY-6.7", "does not count entries"),
    ("table-one-less", "LIM-3", "refuses a table that is exactly at the limit"),
    ("proto", "PAY-6.8", "reads the member __proto__"),
    ("null-proto", "PAY-6.8", "reads __proto__ in a null entry"),
    ("null-names", "PAY-6.8", "makes names of anything in a null entry"),
    ("null-twice", "PAY-6.8", "reads a name twice in a null entry"),
    ("null-odd", "PAY-6.8", "drops a name without a value in a null entry"),
    ("map-odd", "PAY-6.8", "drops a key without a value"),
    ("arity", "PAY-6.8", "ignores what follows the content of a typed entry"),
    ("bigint-number", "PAY-6.8", "reads a bigint from a number"),
    ("bigint-python", "PAY-6.8", "reads bigints as its language reads integers"),
    ("bigint-unicode", "PAY-6.8", "reads digits of other scripts"),
    ("bigint-minus-zero", "PAY-6.8", "reads the bigint -0"),
    ("bigint-limit", "PAY-6.8", "does not count digits"),
    ("bigint-sign", "LIM-3", "counts the sign of a bigint as a digit"),
    ("newline", "PAY-6.8", "matches with $ and so lets a line break follow"),
    ("bytes-padding", "PAY-6.8", "reads base64 without padding"),
    ("bytes-url", "PAY-6.8", "reads the URL alphabet in bytes"),
    ("bytes-space", "PAY-6.8", "skips white space in base64"),
    ("bytes-trailing-bits", "PAY-6.8", "ignores trailing bits of base64"),
    ("date-fraction", "VAL-4", "reads dates with another fraction"),
    ("date-offset", "VAL-4", "reads dates with an offset"),
    ("date-unicode", "VAL-4", "reads digits of other scripts in dates"),
    ("date-leap-second", "VAL-4", "reads a leap second"),
    ("date-24", "VAL-4", "reads 24:00"),
    ("date-year-0", "VAL-4", "reads the year 0000"),
    ("date-calendar", "VAL-4", "reads 30 February"),
    ("ref-past-end", "PAY-6.9", "reads undefined where a reference is past the end"),
    ("ref-hole", "PAY-6.9", "reads -2 as a hole"),
    ("ref-negative", "PAY-6.9", "counts negative references from the end"),
    ("ref-fraction", "PAY-6.9", "cuts the fraction of a reference off"),
    ("ref-boolean", "PAY-6.9", "takes true as the reference 1"),
    ("ref-string", "PAY-6.9", "takes digits in a string as a reference"),
    ("ref-null", "PAY-6.9", "takes null as a reference"),
    ("ref-wraps", "PAY-6.9", "cuts references to 32 bits"),
    ("sparse", "PAY-6.9", "reads sparse arrays"),
    ("unreached", "PAY-6.10", "ignores entries that nothing reaches in a request"),
    ("unreached-in-response", "PAY-10", "refuses entries that nothing reaches in a response"),
    ("shared-in-response", "PAY-10", "refuses shared entries"),
    ("unreached-unread", "PAY-6.11", "does not look at entries that nothing reaches"),
    ("cycle", "PAY-6.11", "reads a cycle as null"),
    ("equal", "PAY-6.12", "keeps equal keys and items"),
    ("equal-neighbours", "PAY-6.12", "compares neighbours only"),
    ("equal-bytes", "PAY-6.12", "keeps two equal byte strings of a set"),
    ("equal-entries", "PAY-6.12", "keeps one container twice"),
    ("equal-zero", "KEY-3", "tells 0 and -0 apart in a set"),
    ("equal-nan", "KEY-3", "tells NaN and NaN apart in a set"),
    ("equal-dates", "KEY-3", "tells dates apart by identity"),
    ("equal-python", "KEY-3", "takes 1 and true as equal"),
    ("equal-nfc", "KEY-3", "takes strings as equal after normalisation"),
    ("equal-containers", "PAY-6.12", "refuses equal containers in a set"),
    ("equal-pairwise", "PAY-8", "compares every item of a set with every other"),
    ("members-limit", "PAY-6.13", "does not count the members of containers"),
    ("members-one-less", "LIM-3", "refuses a container that is exactly at the limit"),
    ("members-of-maps", "LIM-3", "counts keys and values of a map apart"),
    ("depth-limit", "PAY-6.14", "does not measure depth"),
    ("depth-one-less", "LIM-3", "refuses an argument that is exactly at the depth"),
    ("depth-of-empty", "PAY-6.14", "gives an empty container the depth 0"),
    ("depth-of-maps", "PAY-6.14", "does not count maps as a level"),
    ("depth-of-extensions", "PAY-6.14", "does not count extensions as a level"),
    ("depth-of-scalars", "PAY-6.14", "counts dates and bigints as a level"),
    ("nodes-limit", "PAY-6.15", "does not count nodes"),
    ("nodes-one-less", "LIM-3", "refuses an argument that has exactly the nodes"),
    ("nodes-shared", "PAY-6.15", "counts what is shared once"),
    ("nodes-of-sentinels", "PAY-6.15", "does not count undefined as a node"),
    ("nodes-of-keys", "PAY-6.15", "does not count the keys of maps"),
    ("codes", "PAY-6.14", "gives every failure the same code"),
    ("limits-in-response", "PAY-6.15", "applies the limits of requests to responses"),
    ("members-sorted", "PAY-6.16", "gives members in another order"),
    ("extension-content", "PAY-7", "reads an extension whatever it holds"),
    ("tag-case", "PAY-7", "looks tags up without regard to case"),
    ("tag-space", "PAY-7", "looks tags up without the space around them"),
    ("tag-prefix", "PAY-7", "looks extensions up by how they begin"),
    ("tag-any-extension", "PAY-7", "reads extensions that are not registered"),
    ("tag-inherited", "PAY-7", "looks tags up among inherited names"),
    ("tag-regexp", "VAL-6", "reads regular expressions"),
    ("tag-url", "VAL-6", "reads URLs"),
    ("tag-view", "VAL-6", "reads typed views"),
    ("tag-boxed", "VAL-6", "reads boxed primitives"),
    ("tag-temporal", "VAL-6", "reads Temporal values"),
    ("tag-error", "VAL-6", "reads errors, functions and promises"),
    ("tag-undefined", "VAL-6", "reads an entry of the tag undefined"),
    ("tag-file", "VAL-6", "reads files outside of forms"),
    ("nfc", "VAL-3", "normalises strings"),
    ("true-as-one", "VAL-2", "reads true as 1"),
    ("undefined-as-null", "VAL-2", "reads undefined as null"),
    ("bigint-as-number", "VAL-2", "reads small bigints as numbers"),
    ("dies-on-brackets", "PAY-9", "ends at deep nesting"),
    ("dies-on-surrogates", "VAL-3", "ends at a surrogate"),
    ("internal-error", "PAY-9", "answers with a code that is not listed"),
)
_WRITING: Final = (
    ("table-kept", "PAY-1.1", "keeps the table of the value before"),
    ("known-nothing", "PAY-1.2", "writes equal primitives more than once"),
    ("known-no-string", "PAY-1.2", "writes equal strings more than once"),
    ("known-no-bigint", "PAY-1.3", "writes equal bigints more than once"),
    ("known-by-text", "PAY-1.3", 'takes 1, 1n and "1" as one'),
    ("known-by-value", "PAY-1.3", "takes equal dates as one"),
    ("known-empty", "PAY-1.3", "takes all empty containers as one"),
    ("known-no-identity", "PAY-1.3", "writes what is shared more than once"),
    ("minus-zero-as-zero", "PAY-1.2", "writes -0 as 0"),
    ("not-finite-as-null", "PAY-1.2", "writes NaN as null"),
    ("undefined-dropped", "PAY-1.2", "drops undefined members"),
    ("place-after", "PAY-1.2", "gives a container its place after its parts"),
    ("bigint-bare", "PAY-1.4", "writes a bigint as a number"),
    ("breadth-first", "PAY-1.5", "writes scalars before containers"),
    ("value-before-key", "PAY-1.5", "refers to values before keys"),
    ("items-reversed", "PAY-1.5", "writes sets in another order"),
    ("members-sorted", "PAY-1.5", "sorts members"),
    ("null-objects", "PAY-1.5", "writes objects as null entries"),
    ("white-space", "PAY-1.6", "writes white space"),
    ("number-python", "PAY-2", "writes numbers as Python does"),
    ("number-integer", "PAY-2", "writes all digits of large integers"),
    ("number-15-digits", "PAY-2", "writes 15 digits"),
    ("number-fraction", "PAY-2", "writes 1.0"),
    ("number-no-plus", "PAY-2", "writes 1e21"),
    ("number-upper", "PAY-2", "writes 1E+21"),
    ("raw-3c", "PAY-3", "writes < as itself"),
    ("raw-2028", "PAY-3", "writes U+2028 as itself"),
    ("raw-2029", "PAY-3", "writes U+2029 as itself"),
    ("escape-lower", "PAY-3", "writes \\u003c"),
    ("escape-upper", "PAY-3", "writes \\u001F"),
    ("escape-ascii", "PAY-3", "escapes everything beyond ASCII"),
    ("escape-slash", "PAY-3", "escapes the slash"),
    ("escape-greater", "PAY-3", "escapes >"),
    ("escape-del", "PAY-3", "escapes U+007F"),
    ("escape-long", "PAY-3", "writes \\u000a for \\n"),
    ("cycle-written", "PAY-4", "writes a cycle"),
    ("foreign-null", "PAY-4", "writes null for a function"),
    ("surrogates-replaced", "VAL-3", "replaces unpaired surrogates"),
    ("surrogates-escaped", "VAL-3", "writes unpaired surrogates"),
    ("proto-written", "VAL-5", "writes the member __proto__"),
    ("view-buffer", "PAY-5", "writes the buffer behind a view"),
    ("date-rounded", "VAL-4", "rounds dates"),
    ("date-zone", "VAL-4", "ignores the offset of a date"),
    ("date-trimmed", "VAL-4", "leaves .000 out"),
    ("date-microseconds", "VAL-4", "writes microseconds"),
    ("date-no-zone", "VAL-4", "leaves the Z out"),
    ("date-wide", "VAL-4", "writes the year 10000"),
    ("bytes-unpadded", "VAL-9", "writes base64 without padding"),
    ("bytes-url", "VAL-9", "writes base64 in the URL alphabet"),
)
_CANONICAL: Final = (
    ("undefined-kept", "KEY-1.1", "keeps undefined members"),
    ("null-dropped", "KEY-1.1", "drops members that are null"),
    ("items-dropped", "KEY-1.1", "drops undefined items"),
    ("map-values-dropped", "KEY-1.1", "drops pairs whose value is undefined"),
    ("minus-zero-kept", "KEY-1.2", "keeps -0"),
    ("members-unordered", "KEY-1.3", "keeps the order of members"),
    ("members-code-points", "KEY-1.3", "orders members by code points"),
    ("indexes-as-text", "KEY-1.3", "orders indexes as text"),
    ("indexes-last", "KEY-1.3", "puts indexes last"),
    ("index-limit", "KEY-1.3", "takes 4294967295 as an index"),
    ("index-any", "KEY-1.3", "takes any number of 10 digits as an index"),
    ("leading-zeros", "KEY-1.3", "takes 01 as an index"),
    ("unicode-digits", "KEY-1.3", "takes digits of other scripts as indexes"),
    ("folded", "KEY-1.3", "orders without regard to case"),
    ("containers-as-keys", "KEY-1.4", "orders containers too"),
    ("bytes-as-keys", "KEY-1.4", "takes bytes as a scalar"),
    ("maps-unordered", "KEY-1.5", "keeps the order of maps"),
    ("sets-unordered", "KEY-1.5", "keeps the order of sets"),
    ("items-code-points", "KEY-1.5", "orders items by code points"),
    ("items-by-number", "KEY-1.5", "orders numbers by value"),
    ("items-by-value", "KEY-1.5", "orders strings by themselves"),
    ("items-inserted", "KEY-9", "orders sets by insertion"),
    ("shared-kept", "KEY-1.6", "keeps containers shared"),
    ("date-shared", "KEY-1.6", "keeps dates shared"),
    ("bytes-shared", "KEY-1.6", "keeps bytes shared"),
    ("white-space", "KEY-2", "writes white space in canonical texts"),
    ("number-python", "KEY-2", "writes numbers in canonical texts as Python does"),
    ("undefined-as-LTE", "KEY-4", "writes LTE for no argument"),
    ("null-as-empty", "KEY-4", "writes the empty payload for null"),
    ("payload-padded", "KEY-4", "pads payloads"),
    ("payload-alphabet", "KEY-4", "writes payloads in the alphabet of base64"),
    ("empty-is-null", "KEY-5.1", "reads the empty payload as null"),
    ("payload-padding", "KEY-5.2", "reads padded payloads"),
    ("payload-space", "KEY-5.2", "skips white space in payloads"),
    ("payload-standard", "KEY-5.2", "reads + and / in payloads"),
    ("payload-junk", "KEY-5.2", "skips characters that are not base64url"),
    ("payload-length", "KEY-5.2", "drops a lone last character"),
    ("payload-bits", "KEY-5.2", "ignores trailing bits of payloads"),
    ("unreached", "KEY-5.3", "reads payloads with entries that nothing reaches"),
    ("cycle", "KEY-5.3", "reads payloads with cycles"),
    ("canonical", "KEY-5.4", "reads payloads that are not canonical"),
    ("canonical-parsed", "KEY-5.4", "compares payloads after parsing"),
    ("canonical-space", "KEY-5.4", "compares payloads without white space"),
    ("LTE", "KEY-5.4", "reads LTE"),
    ("key-first", "KEY-8", "splits keys at the first slash"),
    ("key-unicode", "KEY-8", "takes letters of other scripts in ids"),
    ("key-digit", "KEY-8", "lets segments start with a digit"),
    ("key-segments", "KEY-8", "lets segments be empty"),
    ("key-newline", "KEY-8", "lets a line break follow a key"),
    ("key-payload", "KEY-8", "takes other characters in payloads"),
    ("key-length", "KEY-8", "does not measure ids"),
)
_PLAIN: Final = (
    ("bom", "PLAIN-1.1", "skips a byte order mark in plain JSON"),
    ("utf8", "PLAIN-1.1", "replaces bytes that are not UTF-8 in plain JSON"),
    ("plain-nesting", "PLAIN-1.2", "parses before it looks how deep the text nests"),
    ("plain-strings", "PLAIN-1.2", "counts brackets in strings"),
    ("constants", "PLAIN-1.3", "reads NaN in plain JSON"),
    ("trailing-text", "PLAIN-1.3", "reads the first of two plain texts"),
    ("overflow", "PLAIN-1.4", "reads 1e400 in plain JSON"),
    ("surrogates", "PLAIN-1.4", "reads unpaired surrogates in plain JSON"),
    ("proto", "PLAIN-1.4", "reads __proto__ in plain JSON"),
    ("name-twice", "PLAIN-1.4", "reads a name twice in plain JSON"),
    ("plain-depth", "PLAIN-1.5", "does not measure depth in plain JSON"),
    ("plain-members", "PLAIN-1.5", "does not count members in plain JSON"),
    ("plain-nodes", "PLAIN-1.5", "does not count nodes in plain JSON"),
    ("plain-bigints", "PLAIN-1.6", "reads large integers as bigints"),
    ("plain-zero", "PLAIN-1.6", "reads -0 as 0"),
    ("plain-dates", "PLAIN-1.6", "reads dates in strings"),
    ("minus-zero-kept", "PLAIN-2", "keeps -0 in the key of a plain argument"),
    ("members-unordered", "PLAIN-2", "keeps the order of a plain argument in its key"),
    ("out-undefined", "PLAIN-3", "writes undefined members as null"),
    ("out-not-finite", "PLAIN-3", "writes NaN as a string"),
    ("out-minus-zero", "PLAIN-3", "writes -0"),
    ("out-bigint", "PLAIN-3", "writes bigints as numbers"),
    ("out-date", "PLAIN-3", "writes dates with an offset"),
    ("out-bytes", "PLAIN-3", "writes bytes in base64url"),
    ("out-map", "PLAIN-3", "writes maps as objects"),
    ("out-extension", "PLAIN-3", "writes the content of an extension"),
)


def _seed(word: str, cited: str, about: str) -> None:
    clause, _, step = cited.partition(".")
    disguise = functools.partial(_disguised, word)
    # a mutant is called by its module and name
    named = _named(disguise, f"{word}_{cited}".replace("-", "_").replace(".", "_").lower())
    codec_mutant(clause, about, step=int(step) if step else None)(named)


def _disguised(word: str, answering: Answering) -> Answering:
    return stepwise({word}, answering)


def _named(disguise: functools.partial[Answering], name: str) -> _Disguise:
    return _Disguise(disguise, name)


class _Disguise:
    """A fault of the tables, with the name that the registry asks functions for."""

    def __init__(self, disguise: functools.partial[Answering], name: str) -> None:
        self._disguise = disguise
        self.__name__ = name
        self.__module__ = __name__

    def __call__(self, answering: Answering) -> Answering:
        """Return what answers in its place."""
        return self._disguise(answering)


for _row in (*_READING, *_WRITING, *_CANONICAL, *_PLAIN):
    _seed(*_row)


@codec_control("a codec of its own, with every check in its place")
def stepwise_codec(answering: Answering) -> Answering:
    """Answer by the steps, none left out."""
    return stepwise((), answering)


@codec_control("answers with numbers spelt otherwise and members in another order")
def spelt_otherwise(answering: Answering) -> Answering:
    """Answer `1.0` for `1`."""

    def answer(request: Mapping[str, Json]) -> Mapping[str, Json]:
        found = dict(answering(request))
        if isinstance(found.get("ok"), int) and not isinstance(found["ok"], bool):
            found["ok"] = float(str(found["ok"]))
        return dict(reversed(found.items()))

    return answer
