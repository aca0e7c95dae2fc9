"""`python -m wireflight` is the command `wireflight`."""

import sys

from wireflight.cli import main

sys.exit(main())
