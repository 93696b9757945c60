"""The study in ten lines: three models, with and without a remedy, over two seeds."""

import tessera

digits = tessera.load_data("digits")
print(digits)

changes = ["training.flip=false", "training.batch_size=32"]
result = tessera.study(digits, epochs=4, seeds=2, change=changes, out="runs/digits")
print(result)

print(tessera.evaluate(result))
print(tessera.explain(result, digits.dataset.test.images[:5]))
