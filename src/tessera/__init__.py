"""Tessera: the lab bench for small, imbalanced image datasets."""

__version__ = "0.1.0"
