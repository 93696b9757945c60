"""A model fitted to images, the same way every time for the same seed."""
