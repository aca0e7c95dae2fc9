"""The codec beside npm devalue."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from wireflight.scalars import number_text

sys.path.insert(0, str(Path(__file__).parent))

import differential

PEER_IS_MISSING = (
    shutil.which("node") is None
    or not (differential.NODE_DIRECTORY / "node_modules" / "devalue").is_dir()
)


@pytest.mark.skipif(PEER_IS_MISSING, reason="node or devalue is missing: npm ci in tests/node")
def test_codec_agrees_with_devalue() -> None:
    """Three thousand generated values are read and written the same by both."""
    assert differential.run(3000, seed=7, is_silent=True) == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-1.0, "-1"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.25e21, "1.25e+21"),
        (9007199254740993.0, "9007199254740992"),
        (0.1, "0.1"),
        (-0.000001, "-0.000001"),
        (0.0000001, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (4.5, "4.5"),
        (333333333.3333333, "333333333.3333333"),
        (1e23, "1e+23"),
        (2**-1074, "5e-324"),
    ],
)
def test_number_text_is_that_of_ecmascript(number: float, text: str) -> None:
    """The shortest digits, in the layout of Number::toString."""
    assert number_text(number) == text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_number_text_rejects_what_is_not_finite(number: float) -> None:
    """Sentinels stand for these."""
    with pytest.raises((OverflowError, ValueError)):
        number_text(number)
