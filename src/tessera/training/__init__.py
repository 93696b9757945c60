"""Training: from images in a known order to weights and predictions."""
