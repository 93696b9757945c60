"""The study in ten lines: nine cells on the embedded digits, about two minutes."""

import tessera

data = tessera.load_data("digits")
study = tessera.study(
    data,
    epochs=4,
    seeds=1,
    out="runs/digits",
    changes={"training.batch_size": 32, "training.flip": False},
)
best = study.recommended()
print(study.report)
print(best.path.name, best.scores.balanced_accuracy)
print(tessera.predict(best, data.dataset.test.images[:5]).classes)
