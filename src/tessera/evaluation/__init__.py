"""Predictions and records -> scores, comparisons over seeds, verdicts; NumPy only."""
