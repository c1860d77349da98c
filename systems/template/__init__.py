"""Strongbox: its rules, what is claimed of them, and the contract that is held to them."""
