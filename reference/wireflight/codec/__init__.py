"""The payload encoding: values to texts and back."""

from wireflight.codec.decode import loads
from wireflight.codec.encode import canonical, canonical_bytes, dumps, dumps_bytes
from wireflight.codec.payload import decode_payload, payload
from wireflight.codec.plain import plain_dumps, plain_loads

__all__ = [
    "canonical",
    "canonical_bytes",
    "decode_payload",
    "dumps",
    "dumps_bytes",
    "loads",
    "payload",
    "plain_dumps",
    "plain_loads",
]
