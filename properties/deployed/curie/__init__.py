"""What we claim of Curie."""

from marginspec.properties.deployed.curie.scope import chapter

__all__ = ["chapter"]
