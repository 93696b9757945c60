"""Finished runs copied into an experiment tracker; the run folders stay the truth."""
