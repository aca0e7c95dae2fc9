"""Conformance suite of Wireflight, a wire protocol for remote functions.

The suite drives servers, clients and codecs through the wire alone. It never imports the
reference implementation, except in ``embedded`` and ``mutants``, which are imported only when
they are asked for.
"""

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"
