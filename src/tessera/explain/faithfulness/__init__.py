"""A model's answers and a method's maps -> numbers that say whether the maps are true.

The model is a function from images to logits, the method a function from a model,
images and classes to maps: nothing here depends on how a map is made.
"""
