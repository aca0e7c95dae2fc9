"""The values that the codec is measured with."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Final

from wireflight import WireMap, WireSet

__all__ = ["corpora"]

_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_WORDS: Final = [
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do",
    "eiusmod",
]


def corpora() -> dict[str, object]:
    """Make the six corpora; every call makes equal ones."""
    rng = random.Random(0)

    def words(count: int) -> str:
        return " ".join(rng.choices(_WORDS, k=count))

    dated_rows = [
        {
            "id": n,
            "title": f"{words(4)} {n}",
            "author": rng.choice(("ada", "grace", "edsger")),
            "score": rng.random() * 100,
            "published": rng.random() < 0.5,
            "created_at": _START + timedelta(minutes=n * 37),
            "updated_at": _START + timedelta(minutes=n * 41, milliseconds=n),
        }
        for n in range(100)
    ]
    repeating_rows = [
        {
            "id": n,
            "status": rng.choice(("open", "closed", "draft")),
            "owner": rng.choice(_WORDS),
            "country": rng.choice(("DE", "FR", "US", "JP")),
            "priority": rng.randrange(5),
            "archived": rng.random() < 0.1,
            "parent": None,
        }
        for n in range(1000)
    ]
    rich = [
        {
            "id": n,
            "when": _START + timedelta(days=n),
            "big": 2**64 + n,
            "tags": WireSet(rng.sample(_WORDS, 4)),
            "counts": WireMap([(n, 1), (n + 1, 2.5), ("x", None)]),
            "blob": bytes(range(n % 64)),
            "limits": [float("inf"), float("nan"), -0.0, n / 7],
        }
        for n in range(100)
    ]
    return {
        "small argument": {"slug": "hello-world", "page": 2, "filters": {"tag": "python"}},
        "100 rows with dates": dated_rows,
        "1,000 rows with repeats": repeating_rows,
        "deep configuration": _configuration(rng, 6),
        "1 MB of text": [words(150) for _ in range(1000)],
        "mixed rich types": rich,
    }


def _configuration(rng: random.Random, depth: int) -> object:
    if depth == 0:
        return rng.choice((rng.randrange(10_000), rng.choice(_WORDS), True, False, None, 0.5))
    if depth % 2 == 0:
        return {f"{word}_{depth}": _configuration(rng, depth - 1) for word in _WORDS[:5]}
    return [_configuration(rng, depth - 1) for _ in range(3)]
