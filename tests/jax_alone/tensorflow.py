"""Stands before TensorFlow on the path of processes that use JAX: it is not there.

So it is for a user who installs Tessera for JAX alone; and Keras, which would import it
to seed it, does not have it to wait for.
"""

raise ImportError("tensorflow: left out of the tests on JAX")
