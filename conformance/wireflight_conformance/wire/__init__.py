"""The suite's own way to the wire: sockets, requests, payload texts, recorded traces.

Nothing here is lenient on purpose or by accident: requests are bytes that the suite wrote itself,
and what a target sends is kept as it came.
"""
