"""A budget is for all that a run does: what comes first leaves half of it to what comes after."""

import subprocess
import sys

HALVES = """
import time
from marginspec.base.ending import cut_short, end_after, ended, until_ended, until_half, up_to_the_end

def forever():
    while True:
        time.sleep(0.01)
        yield

end_after(2)
until_half(lambda: until_ended(lambda: list(up_to_the_end(forever()))))
print(ended() or cut_short())
until_ended(lambda: list(forever()))
print(ended())
until_half(lambda: print("never"))
"""


def test_half_of_a_budget_is_left_to_what_comes_after() -> None:
    done = subprocess.run([sys.executable, "-c", HALVES], capture_output=True, text=True, check=True)
    half, whole = done.stdout.splitlines()
    assert half == "half of what was left of the budget, 1 s, was spent before all was found"
    assert whole == "the budget of 2 s is spent"


def test_a_signal_while_something_is_deleted_ends_the_run_a_moment_later() -> None:
    program = (
        "import os, signal, sys\nfrom marginspec.base import ending, process\n"
        "def signalled():\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "class Deleted:\n    def __del__(self):\n        signalled()\n"
        "def work():\n    it = Deleted()\n    del it\n    import time\n    time.sleep(30)\n"
        "process.run(work)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (130, "marginspec: interrupted by SIGINT, no verdict\n")
