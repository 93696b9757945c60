"""A local web page and a JSON endpoint for one trained model."""
