"""Your own folder in ten lines: python examples/own_folder.py FOLDER [EPOCHS].

FOLDER holds train/ and test/ with a folder per class, or just a folder per class.
"""

import sys

import tessera

folder, epochs = sys.argv[1], int((sys.argv[2:] or ["40"])[0])
data = tessera.load_data(folder)
regime = "weighted"  # the images as they come, with class weights
model = tessera.train(data, model="cnn", regime=regime, epochs=epochs, out="runs/own")
print(tessera.evaluate(model).scores.balanced_accuracy)
for answer in tessera.predict(model, folder).answers[:5]:
    print(answer)
shown = tessera.explain(model, data.dataset.test.images[:3])
print(shown.explanations.raw.shape, "cells of evidence for each image")
