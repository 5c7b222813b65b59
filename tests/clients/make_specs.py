"""Write specs/resnet50.yaml and specs/gpt2.yaml from a short description of each model.

Plain Python: no framework is needed to write them; test_keras.py and test_torch.py compare them with the real models.
Running `python tests/clients/make_specs.py` reproduces both files byte for byte.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SPECS = Path(__file__).resolve().parents[2] / "specs"

Tensor = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class GPT2:
    """The sizes of a GPT-2, under the names and with the defaults of transformers' `GPT2Config`: the 124M model."""

    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    initializer_range: float = 0.02

    @property
    def residual_std(self) -> float:
        """The std of the projections that end in the residual stream, two for each layer."""
        return self.initializer_range / math.sqrt(2 * self.n_layer)


def gpt2_tensors(config: GPT2) -> Iterator[Tensor]:
    """Yield the tensors of GPT2LMHeadModel in the order of its state dict, without the tied `lm_head.weight`."""
    width = config.n_embd
    yield "transformer.wte.weight", (config.vocab_size, width)
    yield "transformer.wpe.weight", (config.n_positions, width)
    for layer in range(config.n_layer):
        for part, shape in (
            ("ln_1", (width,)),
            ("attn.c_attn", (width, 3 * width)),
            ("attn.c_proj", (width, width)),
            ("ln_2", (width,)),
            ("mlp.c_fc", (width, 4 * width)),
            ("mlp.c_proj", (4 * width, width)),
        ):
            yield f"transformer.h.{layer}.{part}.weight", shape
            yield f"transformer.h.{layer}.{part}.bias", shape[-1:]
    yield "transformer.ln_f.weight", (width,)
    yield "transformer.ln_f.bias", (width,)


def render_gpt2(config: GPT2, dtype: str = "float32") -> str:
    """Return the spec of a GPT-2 as YAML."""
    std = config.initializer_range
    return "\n".join(
        [
            "# GPT-2 as transformers' GPT2LMHeadModel saves it: the tied lm_head.weight is left out, and the weights",
            "# of its Conv1D layers are (inputs, outputs). Written by tests/clients/make_specs.py.",
            f"# {count_parameters(gpt2_tensors(config)):,} parameters.",
            "# Source: Radford et al. (2019), Language Models are Unsupervised Multitask Learners;",
            "# https://github.com/huggingface/transformers/blob/main/src/transformers/models/gpt2/modeling_gpt2.py",
            "initcli: 1",
            "framework: keras # for the names of the initializers",
            "seed: 42",
            f"dtype: {dtype}",
            *render_tensors(gpt2_tensors(config)),
            "rules:",
            f"  # {std!r} / √(2 · {config.n_layer}): two projections of each of the {config.n_layer} layers add to the"
            " residual stream.",
            f'  - {{match: "*.c_proj.weight", init: random_normal(stddev={config.residual_std!r})}}',
            '  - {match: "*.ln_*.weight", init: ones}',
            '  - {match: "*.bias", init: zeros}',
            f'  - {{match: "*.weight", init: random_normal(stddev={std!r})}}',
            "",
        ]
    )


def resnet50_tensors() -> Iterator[Tensor]:
    """Yield the tensors of keras.applications.ResNet50 by `weight.path`, in the order of `model.weights`."""
    yield from convolution("conv1", 7, 3, 64)
    yield from normalization("conv1", 64)
    channels = 64
    for stage, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=2):
        for block in range(1, blocks + 1):
            name = f"conv{stage}_block{block}"
            yield from convolution(f"{name}_1", 1, channels, width)
            yield from normalization(f"{name}_1", width)
            yield from convolution(f"{name}_2", 3, width, width)
            yield from normalization(f"{name}_2", width)
            if block == 1:  # the shortcut of a stage's first block is a convolution, beside the block's third
                yield from convolution(f"{name}_0", 1, channels, 4 * width)
            yield from convolution(f"{name}_3", 1, width, 4 * width)
            if block == 1:
                yield from normalization(f"{name}_0", 4 * width)
            yield from normalization(f"{name}_3", 4 * width)
            channels = 4 * width
    yield "predictions/kernel", (channels, 1000)
    yield "predictions/bias", (1000,)


def convolution(name: str, size: int, inputs: int, outputs: int) -> Iterator[Tensor]:
    """Yield the kernel (height, width, inputs, outputs) and the bias of one convolution."""
    yield f"{name}_conv/kernel", (size, size, inputs, outputs)
    yield f"{name}_conv/bias", (outputs,)


def normalization(name: str, channels: int) -> Iterator[Tensor]:
    """Yield the four vectors of one batch normalization."""
    for vector in ("gamma", "beta", "moving_mean", "moving_variance"):
        yield f"{name}_bn/{vector}", (channels,)


def render_resnet50() -> str:
    """Return the spec of ResNet50 as YAML."""
    return "\n".join(
        [
            "# ResNet-50 as keras.applications.ResNet50(weights=None) builds it, named by `weight.path`, with the",
            "# default initializers of its layers. Written by tests/clients/make_specs.py.",
            f"# {count_parameters(resnet50_tensors()):,} parameters, moving statistics included.",
            "# Source: He et al. (2015), Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385;",
            "# https://github.com/keras-team/keras/blob/master/keras/src/applications/resnet.py",
            "initcli: 1",
            "framework: keras",
            "seed: 42",
            "dtype: float32",
            *render_tensors(resnet50_tensors()),
            "rules:",
            '  - {match: "*/kernel", init: glorot_uniform}',
            '  - {match: "*/bias", init: zeros}',
            '  - {match: "*/gamma", init: ones}',
            '  - {match: "*/beta", init: zeros}',
            '  - {match: "*/moving_mean", init: zeros}',
            '  - {match: "*/moving_variance", init: ones}',
            "",
        ]
    )


def render_tensors(tensors: Iterator[Tensor]) -> list[str]:
    """Return the lines of a spec's `tensors` block."""
    return ["tensors:", *(f"  {name}: {list(shape)}" for name, shape in tensors)]


def count_parameters(tensors: Iterator[Tensor]) -> int:
    """Return the number of elements of all tensors together."""
    return sum(math.prod(shape) for _, shape in tensors)


def main() -> None:
    """Write both specs."""
    (SPECS / "resnet50.yaml").write_text(render_resnet50(), encoding="utf-8", newline="\n")
    (SPECS / "gpt2.yaml").write_text(render_gpt2(GPT2()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
