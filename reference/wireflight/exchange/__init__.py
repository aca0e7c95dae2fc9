"""The protocol over HTTP without input and output: requests in, responses out.

Spec: sections 8 to 12, 14, 15 and 18.
"""
