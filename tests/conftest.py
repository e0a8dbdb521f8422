"""Made-up inputs are the same in each run of ci/test, so that a change is told from luck, but not in soak."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same inputs", derandomize=True)
settings.load_profile("same inputs")
