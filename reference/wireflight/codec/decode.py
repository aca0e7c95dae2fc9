"""Reading flat tables: strict, without recursion, in linear time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wireflight.codec.builder import SENTINELS, build_tagged
from wireflight.codec.strictjson import read_json
from wireflight.codec.survey import (
    building_order,
    check_limits,
    read_leaves,
    refuse_equal_members,
)
from wireflight.codec.tree import Unread, read_tree
from wireflight.errors import DecodeError, DecodeErrorCode
from wireflight.limits import Limits

if TYPE_CHECKING:
    from wireflight.types import Extensions

__all__ = ["loads", "read", "read_carefully"]

_INVALID: Final = DecodeErrorCode.INVALID_PAYLOAD
_DEFAULT_LIMITS: Final = Limits()


def loads(
    text: str | bytes,
    *,
    limits: Limits | None = None,
    extensions: Extensions | None = None,
    is_request: bool = True,
) -> Any:
    """Read the value of one flat table.

    Args:
        text: The text; bytes are UTF-8.
        limits: The limits; the protocol's defaults if None.
        extensions: The application's extensions; any other tag is refused.
        is_request: True applies every limit and refuses entries that nothing refers to,
            as a server does; False is how a client reads a response, which its size alone
            bounds.

    Returns:
        The value. Containers that the table shares are one Python object.

    Raises:
        DecodeError: When the text is anything but one acceptable value. No input leads to
            another exception.

    Spec: PAY-6, PAY-7, PAY-8, PAY-9, PAY-10, PAY-11.
    """
    try:
        data = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        place = f"character {error.start}"
        raise DecodeError(_INVALID, "the text is not Unicode", position=place) from None
    return read(data, limits or _DEFAULT_LIMITS, extensions, is_request)


def read(
    data: bytes,
    limits: Limits,
    extensions: Extensions | None,
    is_request: bool,
    is_revived: bool = True,
) -> Any:
    """Read a table as `loads` does.

    Args:
        data: The text in UTF-8.
        limits: The limits.
        extensions: The application's extensions.
        is_request: Whether the limits of requests apply.
        is_revived: Whether extensions become their Python values; otherwise they stay as
            `Extended`, which encodes to what was received.

    Raises:
        DecodeError: As `loads` does.
    """
    if len(data) > (limits.body_bytes if is_request else limits.response_bytes):
        raise _too_large("the text is too long", "body_bytes" if is_request else "response_bytes")
    value = read_tree(data, limits, extensions, is_request, is_revived)
    if value is not Unread.UNREAD:
        return value
    return read_carefully(data, limits, extensions, is_request, is_revived)


def read_carefully(
    data: bytes,
    limits: Limits,
    extensions: Extensions | None,
    is_request: bool,
    is_revived: bool,
) -> Any:
    """Read any table as `read` does, or find out what is wrong with it.

    Raises:
        DecodeError: As `loads` does.

    Spec: PAY-6; each step is one function.
    """
    entries = read_json(data, max_depth=2, too_deep=_INVALID, is_table=True)
    if not isinstance(entries, list):  # step 5
        if type(entries) in (int, float) and entries in SENTINELS:
            return SENTINELS[entries]  # type: ignore[index]
        raise DecodeError(_INVALID, "the root is neither a table nor a sentinel")
    if not entries:  # step 6
        raise DecodeError(_INVALID, "the table is empty")
    if is_request and len(entries) > limits.table_entries:  # step 7
        raise _too_large("the table has too many entries", "table_entries")
    values = read_leaves(entries, limits, extensions, is_request=is_request)
    order = building_order(entries, values.keys(), is_request=is_request)
    refuse_equal_members(entries, values)
    if is_request:
        check_limits(entries, order, limits)
    for index in order:
        entry = entries[index]
        if type(entry) is dict:
            values[index] = {name: values[ref] for name, ref in entry.items()}
        elif not entry or type(entry[0]) is not str:
            values[index] = [values[ref] for ref in entry]
        elif entry[0] == "null":
            members = zip(entry[1::2], entry[2::2], strict=True)
            values[index] = {name: values[ref] for name, ref in members}
        else:
            read_members = [entry[0], *(values[ref] for ref in entry[1:])]
            values[index] = build_tagged(
                read_members, entry, index, entries, extensions, is_revived=is_revived
            )
    return values[0]


def _too_large(message: str, limit: str) -> DecodeError:
    return DecodeError(DecodeErrorCode.TOO_LARGE, message, limit=limit)
