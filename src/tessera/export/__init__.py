"""A trained model for use elsewhere: checked against the original, with its card."""
