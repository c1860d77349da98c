"""Aave v3.0.2: pooled lending on several assets, cross-collateral, with scaled balances. One module per concern."""

from marginspec.model.deployed.aave_v3.venue import AaveV3

__all__ = ["AaveV3"]
