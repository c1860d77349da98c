"""Perp Curie: perpetuals with cross-margin that trade in pools of Uniswap. One module per concern."""

from marginspec.model.deployed.curie.venue import Curie

__all__ = ["Curie"]
