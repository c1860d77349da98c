"""Many accounts of the reference venue under price paths: who is liquidated, who pays, and what margin that looks ahead
and hedging change. Paths and people are drawn; what becomes of them the exact model decides.
"""
