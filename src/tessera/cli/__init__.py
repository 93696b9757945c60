"""The command line, `tessera VERB ...`: imports nothing heavy before it is needed."""

from tessera.cli.app import main

__all__ = ["main"]
