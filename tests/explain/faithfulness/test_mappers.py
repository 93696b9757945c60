import numpy as np
import pytest

from tessera.experiment import Cnn
from tessera.explain import gradcam
from tessera.explain.faithfulness import mappers
from tessera.explain.graph import ExplainError
from tessera.models import build


def test_grad_cam_is_grad_cam():
    net = build.build(Cnn(), (32, 32, 1), 3, seed=0)
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1)).astype("float32")
    targets = np.int32([2, 0, 1])
    found = mappers.mapper("grad-cam", "features")(net, images, targets)
    expected = gradcam.explain(net, images, targets=targets, layer="features").raw
    assert (found == expected).all()
    assert mappers.title("grad-cam") == gradcam.METHOD


def test_a_list_is_read_once_each():
    assert mappers.parse(" grad-cam, grad-cam") == ("grad-cam",)


@pytest.mark.parametrize("text", ["", ",", "saliency", "grad-cam,x"])
def test_an_unknown_method_names_the_known(text):
    with pytest.raises(ExplainError, match=r"--methods: expected a list of grad-cam"):
        mappers.parse(text)
