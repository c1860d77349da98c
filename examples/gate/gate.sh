#!/usr/bin/env bash
# The gate without GitHub: any CI that runs a shell. Exit code 0 lets the change pass; see docs/ci.md for the others.
set -euo pipefail

marginspec check morpho-blue \
    --artifact Morpho=out/Morpho.sol/Morpho.json \
    --corpus .marginspec/corpus \
    --junit out/marginspec/junit.xml \
    --sarif out/marginspec/marginspec.sarif \
    --summary out/marginspec/summary.md
