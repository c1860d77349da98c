"""The reference venue: a cross-margin venue of linear perpetuals. One module per chapter of `spec/reference/`."""

from marginspec.model.reference.venue import Reference

__all__ = ["Reference"]
