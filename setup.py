"""The rooms become the sub-packages of one namespace, with all folders in them. All else: pyproject.toml."""

from setuptools import find_namespace_packages, setup

ROOMS = (
    *("spec", "model", "base", "targets", "properties", "prover", "lockstep", "systems", "conformance", "mutation"),
    *("upgrade", "results", "report", "cli", "contracts"),
)

setup(
    packages=[
        f"marginspec.{room}{folder}"
        for room in ROOMS
        for folder in ("", *(f".{name}" for name in find_namespace_packages(room, exclude=["*__pycache__*"])))
    ]
)
