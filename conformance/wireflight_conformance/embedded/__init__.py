"""The reference as a target: the only part of the package, with ``mutants``, that imports it."""
