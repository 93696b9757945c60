"""A dataset made imbalanced on purpose, and the remedies against it."""
