from tessera.experiment import Cnn, Experiment, Regime, Training
from tessera.report.changes import changes
from tessera.report.load import load

from .conftest import recalls
from .folders import write_study


def test_cost_gain_and_price_have_a_panel_each(drawn):
    words = drawn.changes.alternative
    assert "Reduced classes' recall, imbalanced minus balanced." in words
    assert "Other classes' recall, weighted minus imbalanced." in words
    assert "cnn: \N{MINUS SIGN}30.0 points" in words


def test_a_study_without_pairs_has_no_such_drawing(tmp_path):
    one = Experiment(
        models=(Cnn(),),
        regimes=(Regime(name="balanced"),),
        seeds=(0,),
        training=Training(epochs=1),
    )
    assert changes(load(write_study(tmp_path, one, recalls))) is None


def test_the_caption_says_where_nothing_was_made_rare(own, drawn):
    assert "Nothing was made rare here" in changes(own).caption
    assert "Nothing was made rare" not in drawn.changes.caption
