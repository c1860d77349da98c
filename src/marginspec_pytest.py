"""The options of `pytest --marginspec SYSTEM`; what they do is in `marginspec.runs.pytest_plugin`.

A module outside of the package, because pytest imports it in every project that has marginspec installed, and because
of a distribution with a plugin and no module at its top pytest takes the files further down for such: it would warn of
`html` and `subprocess`, whoever's they are.
"""

from __future__ import annotations

import argparse

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("marginspec")
    group.addoption("--marginspec", metavar="SYSTEM", help="prove its laws and compare its implementation, as tests")
    group.addoption(
        "--artifact",
        metavar="NAME=FILE",
        action="append",
        default=[],
        help="put a candidate build in the place of a contract",
    )
    group.addoption("--marginspec-target", metavar="TARGET", default="embedded", help="what to compare with")
    group.addoption("--marginspec-steps", metavar="N", type=_positive, default=20_000, help="calls to compare")
    group.addoption("--marginspec-seed", metavar="N", type=int, default=1, help="of the first slice of the run")


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("a run that compares nothing is no pass; give at least 1")
    return number


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the rest where it is asked for, before any worker is started."""
    if config.getoption("--marginspec") is not None:
        from marginspec.runs.pytest_plugin import Plugin

        config.pluginmanager.register(Plugin(config), "marginspec-system")
