"""Damaged files, given to the verbs: no traceback, no hang, no wrong exit code, no file where none belongs."""
