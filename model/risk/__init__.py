"""Chapters 11 and 12 of `spec/reference/`: how a desk values options and measures risk, on exact integers.

These are functions of numbers and records. No action of the venue calls them and no contract has them: venues work such
figures out off chain, so what is compared with them is a service. That is why they are not part of the venue's model.
"""
