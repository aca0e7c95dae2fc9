"""One file for each mode: what it drives, and how it finds out that it can."""
