from tessera.report.distribution import class_distribution, distinct_counts


def test_regimes_that_train_on_the_same_counts_share_a_bar(study):
    counts = distinct_counts(study)
    assert list(counts) == ["balanced", "imbalanced and weighted"]
    assert counts["imbalanced and weighted"][3:7] == (900, 900, 900, 4500)


def test_the_words_for_the_drawing_name_the_rare_classes(study):
    drawn = class_distribution(study)
    assert "rarer are cat, deer and dog" in drawn.alternative
    assert "4,500" in drawn.svg
