"""What one server was told about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from wireflight.exchange.structure import limits_of_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireflight.functions import Registry
    from wireflight.limits import Limits
    from wireflight.types import Extensions

__all__ = ["SUPPORTED_VERSIONS", "Encoding", "Settings", "host_and_port"]

SUPPORTED_VERSIONS: Final = (1,)

Encoding = Literal["wireflight", "plain"]


class Settings:
    """The configuration of a server, read once and checked.

    Attributes:
        registry: Its functions; replaced when one is added.
        authority: Host and port that a same-origin request has, or None for those of `Host`.
        arguments: Scalar arguments by their payloads, so far as they are remembered.
    """

    __slots__ = (
        *("allowed_hosts", "allowed_origins", "arguments", "authority", "base", "body_limits"),
        *("build", "capabilities"),
        *("exposes_functions", "extensions", "limits", "redirect_origins", "registry"),
    )

    def __init__(
        self,
        registry: Registry,
        *,
        limits: Limits,
        extensions: Extensions | None = None,
        base: str = "",
        allowed_hosts: Sequence[str] | None = None,
        allowed_origins: Sequence[str] = (),
        redirect_origins: Sequence[str] = (),
        authority: str | None = None,
        build: str | None = None,
        exposes_functions: bool = False,
    ) -> None:
        """Check the configuration.

        Raises:
            ValueError: When an origin, a host, the base or the build has not its form.
        """
        self.registry = registry
        self.limits = limits
        self.body_limits = limits_of_body(limits)
        self.extensions = extensions
        if base and (not base.startswith("/") or base.endswith("/")):
            raise ValueError("the base starts with '/' and does not end with one")
        self.base = base
        self.allowed_hosts: frozenset[bytes] | None = None
        if allowed_hosts is not None:
            self.allowed_hosts = frozenset(host.lower().encode("ascii") for host in allowed_hosts)
        self.allowed_origins = frozenset(map(_checked_origin, allowed_origins))
        self.redirect_origins = frozenset(map(_checked_origin, redirect_origins))
        self.authority = None if authority is None else authority.lower().encode("ascii")
        if build is not None and (not build.isascii() or not build.isprintable() or not build):
            raise ValueError("the name of a build is printable ASCII")
        self.build = build
        self.exposes_functions = exposes_functions
        self.capabilities: tuple[str, ...] = ()
        self.arguments: dict[str, object] = {}


def _checked_origin(origin: str) -> bytes:
    """Return the origin as browsers spell it.

    Raises:
        ValueError: When it is not a scheme, a host and perhaps a port.
    """
    parts = urlsplit(origin)
    if f"{parts.scheme}://{parts.netloc}" != origin or not parts.netloc or "@" in origin:
        raise ValueError(f"{origin!r} is no origin: a scheme, '://', a host and perhaps a port")
    return origin.lower().encode("ascii")


def host_and_port(authority: bytes) -> tuple[bytes, bytes]:
    """Split an authority; an address of IPv6 keeps its brackets, a missing port is empty.

    Spec: SEC-1.
    """
    host, _, port = authority.rpartition(b":")
    if (
        not port.isdigit()
        or host.count(b"[") != host.count(b"]")
        or (b":" in host and not host.endswith(b"]"))
    ):
        return authority, b""
    return host, port
