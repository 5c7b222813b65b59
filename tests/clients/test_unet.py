"""PyTorch's own layers, put together as milesial/Pytorch-UNet does, say what the tensors of specs/unet.yaml are."""

from __future__ import annotations

import pytest
import torch
from models import assert_same_statistics, described, plan_of, published_sizes, variables_of, write_weights
from safetensors.torch import load_file
from torch import nn

FRAMEWORK = f"torch {torch.__version__}"

TINY = {"d": 16, "layers": 2, "channels": 1, "classes": 32}

pytestmark = pytest.mark.proves("specs/unet.yaml")


class DoubleConv(nn.Sequential):
    """Two convolutions, each normalized and followed by a ReLU."""

    def __init__(self, inputs, outputs):
        super().__init__()
        convolutions = [nn.Conv2d(each, outputs, 3, padding=1, bias=False) for each in (inputs, outputs)]
        norms = [nn.BatchNorm2d(outputs) for _ in convolutions]
        self.double_conv = nn.Sequential(
            *(layer for pair in zip(convolutions, norms, strict=True) for layer in (*pair, nn.ReLU()))
        )


class Down(nn.Sequential):
    """Half the size, twice the features."""

    def __init__(self, inputs):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(inputs, 2 * inputs))


class Up(nn.Module):
    """Twice the size, half the features, beside those that were handed across."""

    def __init__(self, inputs):
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, inputs // 2, 2, stride=2)
        self.conv = DoubleConv(inputs, inputs // 2)

    def forward(self, below, across):
        return self.conv(torch.cat([across, self.up(below)], dim=1))


class UNet(nn.Module):
    """As many layers down as up."""

    def __init__(self, v):
        super().__init__()
        self.inc = DoubleConv(v["channels"], v["d"])
        downs = [Down(v["d"] * 2**i) for i in range(v["layers"])]
        ups = [Up(v["d"] * 2 ** (i + 1)) for i in reversed(range(v["layers"]))]
        for name, blocks in (("down", downs), ("up", ups)):
            for i, block in enumerate(blocks, start=1):
                self.add_module(f"{name}{i}", block)
        self.outc = nn.Sequential()
        self.outc.conv = nn.Conv2d(v["d"], v["classes"], 1)
        self.downs, self.ups = tuple(downs), tuple(ups)  # a tuple is no module: no names of its own

    def forward(self, image):
        levels = [self.inc(image)]
        for down in self.downs:
            levels.append(down(levels[-1]))
        features = levels.pop()
        for up in self.ups:
            features = up(features, levels.pop())
        return self.outc(features)


def build(sizes):
    """A U-Net with the initial weights of its layers."""
    torch.manual_seed(1234)
    return UNet(variables_of("unet", sizes))


@pytest.fixture(scope="module")
def tensors(generate, tmp_path_factory):
    """The tensors of the file of a tiny U-Net."""
    return load_file(write_weights(generate, tmp_path_factory.mktemp("unet") / "unet.safetensors", "unet", TINY))


def test_the_spec_has_every_tensor_of_the_model_in_every_size():
    """In the sizes that its comment tells, with the counts that it tells, and tiny; all without memory."""
    published = list(published_sizes("unet"))

    for count, sizes in (*published, (None, {"layers": 2}), (None, TINY)):
        with torch.device("meta"):
            model = build(sizes)
        ours = {tensor.name: (tensor.shape, tensor.dtype.name) for tensor in plan_of("unet", sizes).tensors}
        assert ours == described(model.state_dict())
        assert count in (None, sum(parameter.numel() for parameter in model.parameters()))
    assert len(published) == 2


def test_a_strict_state_dict_takes_the_file_and_computes(tensors):
    """Each name is found once, in its shape and dtype, and the logits of an image of the same size are finite."""
    model = build(TINY)

    model.load_state_dict(tensors, strict=True)
    with torch.inference_mode():
        logits = model.eval()(torch.randn(1, 1, 16, 24))

    assert described(tensors) == described(model.state_dict())
    assert logits.shape == (1, 32, 16, 24)
    assert torch.isfinite(logits).all()
    assert logits.std() > 0


def test_every_tensor_has_the_law_of_its_layer(tensors):
    """Mean and std of each lie within five standard errors of those in a fresh model; what is not drawn is the same."""
    assert_same_statistics(tensors, build(TINY).state_dict())
