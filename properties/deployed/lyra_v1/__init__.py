"""What we claim of Lyra v1."""

from marginspec.properties.deployed.lyra_v1.scope import chapter

__all__ = ["chapter"]
