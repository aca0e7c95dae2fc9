"""Validation of arguments: issues, and the converter that finds them."""

from wireflight.issues.converter import Converter
from wireflight.issues.describe import Adapter
from wireflight.issues.issue import (
    CODES,
    MAX_ISSUES,
    Issue,
    ValidationError,
    from_standard,
    make_issue,
    to_standard,
)

__all__ = [
    "CODES",
    "MAX_ISSUES",
    "Adapter",
    "Converter",
    "Issue",
    "ValidationError",
    "from_standard",
    "make_issue",
    "to_standard",
]
