"""How much Hypothesis does in each profile. These settings are always given, so that no
environment changes them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.configuration import set_hypothesis_home_dir

__all__ = ["keep_out_of_working_directory", "settings_of", "storage"]

_EXAMPLES: Final = {"smoke": (1, 1), "quick": (40, 12), "full": (100, 20), "soak": (4000, 30)}
"""Profile -> examples, and steps of a state machine."""


def storage() -> Path:
    """Return the folder for what a run keeps: Hypothesis's files and counterexamples."""
    return Path(tempfile.gettempdir()) / "wireflight-conformance"


def keep_out_of_working_directory() -> None:
    """Let Hypothesis write beside nobody's sources."""
    set_hypothesis_home_dir(storage() / "hypothesis")


def settings_of(profile: str, *, stateful: bool = False) -> settings:
    """Return the settings of a profile; the seed is given apart."""
    examples, steps = _EXAMPLES[profile]
    return settings(
        max_examples=examples if stateful else 2 * examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=True,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
