"""The image classifiers: raw pixels in, logits out, on any Keras backend."""
