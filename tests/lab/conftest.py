"""Properties run with bounded examples that are the same in every run; see `tests.core.support`."""

from tests.core.support import load_profile

load_profile()
