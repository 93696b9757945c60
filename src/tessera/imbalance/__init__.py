"""Class imbalance: how it is made, and what is done about it."""
