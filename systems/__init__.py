"""What a `system.py` imports: `System`, and what its optional fields are made of."""

from marginspec.systems.equivalence import Equivalence
from marginspec.systems.judgement import Judgement, Total
from marginspec.systems.naming import Naming
from marginspec.systems.roles import Parties
from marginspec.systems.sample import Sample
from marginspec.systems.system import Sources, System
from marginspec.systems.view import Ability, Standing, View

__all__ = [
    "Ability",
    "Equivalence",
    "Judgement",
    "Naming",
    "Parties",
    "Sample",
    "Sources",
    "Standing",
    "System",
    "Total",
    "View",
]
