"""Stateful tests: executable models of what a run of many requests has to add up to.

A model here is plain Python without input or output. It is tested on its own, proves its rule
where the rule can be proved by trying, and then judges a running server.
"""
