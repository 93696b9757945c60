"""Predictions and records -> scores, comparisons over seeds, verdicts; no framework."""
