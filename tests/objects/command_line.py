"""The command line, called as a function."""

from __future__ import annotations

from mrecist.cli import main


def run(*arguments: object) -> int:
    """The exit code of ``mrecist`` with these arguments, everything as text."""
    return main([str(argument) for argument in arguments])
