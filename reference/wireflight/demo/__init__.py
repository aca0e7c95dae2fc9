"""A small blog on SQLite: what the protocol's introduction shows, as a program that runs."""
