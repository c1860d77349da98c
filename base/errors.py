"""What ends a run without a verdict: each has an exit code of its own."""


class TargetFailed(Exception):  # noqa: N818 - the CLI contract's word for exit code 4
    """The implementation could not be reached, crashed or timed out: no verdict about it is possible."""


class BadInput(Exception):  # noqa: N818 - the CLI contract's word for exit code 2
    """The user gave something unusable. The message is one line: what, where, what to do."""


class NothingCompared(Exception):  # noqa: N818 - no verdict, like `TargetFailed`
    """A run compared nothing, so that it would pass whatever the implementation did."""
