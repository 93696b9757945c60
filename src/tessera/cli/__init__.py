"""The command line: `tessera VERB ...`. Nothing heavy is imported before it is needed."""

from tessera.cli.app import main

__all__ = ["main"]
