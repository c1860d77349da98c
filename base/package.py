"""Where the package lies: in the checkout, or as installed."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds the rooms."""
