"""cvc5 as a process of its own: it reads texts and answers verdicts, and can be killed when it overstays its time.

Inside one process cvc5 does not always return when its time limit passes (the coverings strategy is one long step).
Protocol: a line with the number of characters, the time limit in ms and `default` or `coverings`, then the text; a line
with the verdict, and a line `end`.
"""

from __future__ import annotations

import sys
import time

import cvc5

AGAIN = 4
"""A text that had less of a processor than its limit is asked so often, with a limit twice as long each time."""

COVERINGS = (("nl-cov", "true"), ("nl-ext", "none"))


def check(text: str, milliseconds: int, strategy: str) -> str:
    """`sat`, `unsat` or `unknown`. milliseconds: of a processor; cvc5's own limit is one of time that passes."""
    limit = milliseconds
    for _ in range(AGAIN):
        begun = time.process_time()
        verdict = _check(text, limit, strategy)
        if verdict != "unknown" or time.process_time() - begun > 0.8 * milliseconds / 1000:
            break
        limit *= 2
    return verdict


def _check(text: str, milliseconds: int, strategy: str) -> str:
    solver = cvc5.Solver(cvc5.TermManager())
    limits = (("seed", "0"), ("tlimit-per", str(milliseconds)))
    for name, value in (*(COVERINGS if strategy == "coverings" else ()), *limits):
        solver.setOption(name, value)
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "obligation")
    symbols = parser.getSymbolManager()
    verdict = "unknown"
    while not (command := parser.nextCommand()).isNull():
        answer = command.invoke(solver, symbols).strip()
        if answer in ("sat", "unsat"):
            verdict = answer
    return verdict


def main() -> None:
    """Serve until the input ends."""
    while header := sys.stdin.readline():
        length, milliseconds, strategy = header.split()
        print(check(sys.stdin.read(int(length)), int(milliseconds), strategy), "end", sep="\n", flush=True)


if __name__ == "__main__":
    main()
