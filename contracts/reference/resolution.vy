# pragma version 0.4.3
# pragma nonreentrancy on
# pragma evm-version cancun
# pragma optimize codesize
"""
@title Resolution: prices, liquidation, waterfall and settlement of the venue
@notice Runs on the venue's state, reached through the venue alone; called by itself it has an empty state and no
    tokens.
@license Apache-2.0
"""

import adaptation
import collateral
import ledger
import liquidation
import margin
import notation
import oracles
import positions
import settlement
import waterfall

initializes: ledger
initializes: adaptation[ledger := ledger]
initializes: collateral[ledger := ledger]
initializes: margin[ledger := ledger]
initializes: positions[ledger := ledger]
initializes: oracles[ledger := ledger, adaptation := adaptation]
initializes: liquidation[ledger := ledger, collateral := collateral, margin := margin, positions := positions]
initializes: waterfall[ledger := ledger, collateral := collateral, margin := margin, positions := positions]
initializes: settlement[ledger := ledger, positions := positions]

exports: oracles.__interface__
exports: liquidation.__interface__
exports: waterfall.__interface__
exports: settlement.__interface__
