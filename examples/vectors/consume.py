"""Run conformance vectors against an implementation: `python consume.py VECTORS -- COMMAND...`

COMMAND is a service that speaks JSON lines: {"op": "reset"}, {"op": "apply", "action", "arguments"} and
{"op": "observe"}, each answered with one line. Write an adapter like `Service` for anything else. Needs Python only.
"""

import json
import subprocess
import sys
from pathlib import Path


class Service:
    """The implementation: a process that is asked one thing at a time."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def run(implementation, genesis, vector):
    """What is wrong, or None."""
    implementation.ask(op="reset")
    for number, step in enumerate(vector["steps"], 1):
        if implementation.ask(op="apply", **step)["outcome"] != "accepted":
            return f"step {number}, {step['action']}, must be accepted"
    before = implementation.ask(op="observe")["observations"]
    answer = implementation.ask(op="apply", **vector["call"])
    after = implementation.ask(op="observe")["observations"]
    if "post" in vector:
        if answer["outcome"] != "accepted":
            return f"must be accepted, was rejected: {answer.get('reason')}"
        if answer["returns"] != vector["post"]["returns"]:
            return f"must return {vector['post']['returns']}, returned {answer['returns']}"
        before = genesis["observations"] | vector["post"]["observations"]
    elif answer["outcome"] != "rejected":
        return f"must be rejected by {vector['rule']}"
    wrong = [name for name in before if after.get(name) != before[name]]
    return f"{wrong[0]} must be {before[wrong[0]]}, is {after.get(wrong[0])}" if wrong else None


def main(folder, command):
    implementation = Service(command)
    passed = failed = 0
    for entry in json.loads((folder / "manifest.json").read_text())["files"]:
        document = json.loads((folder / entry["file"]).read_text())
        for vector in document["vectors"]:
            problem = run(implementation, document["genesis"], vector)
            if problem:
                print(f"{vector['id']}: {problem} ({vector['shows']})")
            passed, failed = passed + (problem is None), failed + (problem is not None)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    split = sys.argv.index("--")
    sys.exit(main(Path(sys.argv[1]), sys.argv[split + 1 :]))
