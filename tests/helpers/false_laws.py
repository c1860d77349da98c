"""Laws of Morpho Blue that are false."""

from marginspec.model.deployed.morpho_blue import MarketId, MorphoBlue


def never_above_seven(venue: MorphoBlue, market: MarketId) -> bool:
    """No fee is above 7."""
    return venue.markets[market].fee <= 7


def nothing(venue: MorphoBlue) -> bool:
    """Claims nothing, so that it holds."""
    return True


def priced(venue: MorphoBlue, market: MarketId) -> bool:
    """Every market has a price."""
    return venue.price[market] > 0
