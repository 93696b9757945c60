"""A trained model and images -> which places on a layer's grid speak for a class."""
