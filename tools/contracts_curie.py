"""`python -m tools.contracts_curie`: fetches the npm package of Perp Curie, whose bytecode a run deploys.

It is under the GPL, and nothing of it travels with marginspec. The others are what bugs planted in it are compiled of.
"""

from __future__ import annotations

from tools.packages import Package

CURIE = Package(
    "@perp/curie-contract",
    "2.8.4",
    "fTHxpzzuHlSyCEvI6T8Ya10Oz3Y4T06YTiCciR/4uvR9rx/9Afmm8nDLJ85ZwXiA0edce9bPUkE/ZcKY4xkJEw==",
)
SOLC = Package(
    "solc",
    "0.7.6",
    "WsR/W7CXwh2VnmZapB4JrsDeLlshoKBz5Pz/zYNulB6LBsOEHI2Zj/GeKLMFcvv57OHiXHvxq5ZOQB+EdqxlxQ==",
)
OPEN_ZEPPELIN = Package(
    "@openzeppelin/contracts-upgradeable",
    "3.4.2",
    "mDlBS17ymb2wpaLcrqRYdnBAmP1EwqhOXMvqWk2c5Q1N1pm5TkiCtXM9Xzznh4bYsQBq0aIWEkFFE2+iLSN1Tw==",
)
OPEN_ZEPPELIN_PLAIN = Package(
    "@openzeppelin/contracts",
    "3.4.1-solc-0.7-2",
    "tAG9LWg8+M2CMu7hIsqHPaTyG4uDzjr6mhvH96LvOpLZZj6tgzTluBt+LsCf1/QaYrlis6pITvpIaIhE+iZB+Q==",
)
UNISWAP = Package(
    "@uniswap/v3-core",
    "1.0.1",
    "7pVk4hEm00j9tc71Y9+ssYpO6ytkeI0y7WE9P6UcmNzhxPePwyAxImuhVsTqWK9YFvzgtvzJHi64pBl4jUzKMQ==",
)
PERIPHERY = Package(
    "@uniswap/v3-periphery",
    "1.0.1",
    "1Q4DVWNWfRumbNrBJgebLOUULGng5g3uky5suu4Cc7GtA1+JmEnw3J2VOrJSv2zn1LOPjURhZgU5T7NiIl2yeA==",
)
ORACLE = Package(
    "@perp/perp-oracle-contract",
    "0.6.7",
    "Pqoy4dlcMoy5oEbWOnaHbS1CQTee0ZbfEc//fS2ze0o1IVCrvhP1S+wS+6ZZtJ6Oz1RGPtGnF/F98Av7SHlVaA==",
)
ESCROW = Package(
    "@perp/voting-escrow",
    "1.2.0",
    "ZoUbpQHLMYqYQfb/YZvQzdeqf/B1Jq59CaFrGcC2Wkz7MDRaWhN1Ldx0XVZyMyStGvemp+A7eoMh7HJLFONC5Q==",
)
PACKAGES = (CURIE, SOLC, OPEN_ZEPPELIN, OPEN_ZEPPELIN_PLAIN, UNISWAP, PERIPHERY, ORACLE, ESCROW)

if __name__ == "__main__":
    for package in PACKAGES:
        package.unpacked()
