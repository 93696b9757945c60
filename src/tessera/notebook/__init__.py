"""Results of the Python interface, and how a notebook shows them."""
