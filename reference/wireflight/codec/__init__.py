"""The payload encoding: values to texts and back."""

from wireflight.codec.decode import loads
from wireflight.codec.encode import canonical, dumps
from wireflight.codec.payload import decode_payload, payload
from wireflight.codec.plain import plain_dumps, plain_loads

__all__ = [
    "canonical",
    "decode_payload",
    "dumps",
    "loads",
    "payload",
    "plain_dumps",
    "plain_loads",
]
