from tessera.report import tables

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


def test_rows_are_grouped_by_regime_and_the_best_is_bold(study):
    lines = tables.results(study.record).splitlines()
    rows = [line for line in lines if line.startswith("| balanced")]
    assert [row.split(" | ")[1] for row in rows] == ["cnn", "hybrid"]
    # Hybrid: accuracy 0.82 and 0.8315 over the two seeds.
    assert f"**82.6 {PLUS_MINUS} 0.8**" in rows[1]
    assert "**" not in rows[0]


def test_the_caption_names_data_epochs_and_seeds(study):
    caption = tables.caption(study.record)
    assert caption.startswith("**Synthetic**, 3 epochs")
    assert "2 seeds (0 and 1)" in caption


def test_every_verdict_has_a_row(study):
    assert tables.verdicts(study.record).count("\n") == 2 + 7


def test_a_bar_inside_a_cell_is_escaped():
    assert tables.markdown(["a"], [["x|y"]]).splitlines()[-1] == r"| x\|y |"


def test_a_study_of_several_remedies_gets_a_ranking(study, many):
    assert tables.has_ranking(many.record)
    assert not tables.has_ranking(study.record)
    text = tables.rankings(many.record)
    rows = [line for line in text.splitlines() if "remedy-" in line[:14]]
    assert len(rows) == 7
    assert rows[0].startswith("| **remedy-0** | ")
    for name in ("plain training", "balanced data", "majority class"):
        assert f"| *{name}* | " in text
    assert "take remedy-0" in text


def test_a_ranking_row_holds_the_gap_closed_and_the_cost(many):
    row = tables.rankings(many.record).split("| **remedy-0** | ")[1].split("\n")[0]
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[3].startswith("**\N{MINUS SIGN}4.0") or cells[3].startswith(
        "\N{MINUS SIGN}4.0"
    )
    ranked = many.record.rankings[0].remedies[0]
    assert cells[4].startswith(f"{100 * ranked.gap_f1.value:.0f}")
    assert cells[6] == "193,098"


def test_data_without_imbalance_are_called_levelled_where_images_were_left_out(own):
    text = tables.rankings(own.record)
    assert "| *levelled data* | " in text
    assert "balanced data" not in text
    assert "Rare classes' recall | Other classes' recall" in text


def test_a_ranking_without_a_rare_class_names_the_rarest_and_the_most_common(mild):
    head = tables.rankings(mild.record)
    assert "| Rarest classes' recall | Most common classes' recall |" in head
