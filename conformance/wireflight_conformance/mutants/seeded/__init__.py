"""The mutants, one file for each section of the specification, and the controls."""
