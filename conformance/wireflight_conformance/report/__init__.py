"""Reporters: each takes the events of a run and knows nothing of the engine."""
