"""Your own folder in ten lines: `photos` holds a folder of images for each class."""

import tessera

photos = tessera.load_data("photos")
print(photos)

result = tessera.study(photos, epochs=40, seeds=5, models=["hybrid"], out="runs/photos")
print(result)

print(tessera.evaluate(result))
print(tessera.predict(result, "new-photos"))
