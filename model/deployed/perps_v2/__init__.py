"""PerpsV2 of Synthetix: a market of perpetuals whose counterparty is a debt pool. One module per concern."""

from marginspec.model.deployed.perps_v2.venue import PerpsV2

__all__ = ["PerpsV2"]
