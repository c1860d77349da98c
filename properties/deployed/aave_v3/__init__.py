"""What we claim of Aave v3."""

from marginspec.properties.deployed.aave_v3.scope import chapter

__all__ = ["chapter"]
