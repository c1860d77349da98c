"""The subset of Python in which models and laws are written, and the check that nothing outside of it can run.

`docs/subset.md` defines it for people, `rules.py` for the machine; `outside` looks at the syntax tree of everything
that a proof can run, before anything runs.
"""

from marginspec.prover.subset.check import OutsideSubset, outside, require_subset
from marginspec.prover.subset.rules import RULES
from marginspec.prover.subset.world import Outside

__all__ = ["RULES", "Outside", "OutsideSubset", "outside", "require_subset"]
