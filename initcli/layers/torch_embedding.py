"""PyTorch's tables of embeddings.

Source: pytorch/pytorch v2.13.0, `torch/nn/modules/sparse.py`; checked by `make clients`.
"""

from __future__ import annotations

from initcli.errors import ArgumentError
from initcli.initializers.arguments import check_choice
from initcli.layers.base import Built, Weight, layer, parse_size
from initcli.layers.torch_arguments import Ignored


@layer("torch", "Embedding")
def embedding(
    num_embeddings: int,
    embedding_dim: int,
    padding_idx: int | None = None,
    max_norm: Ignored = None,
    norm_type: Ignored = 2.0,
    scale_grad_by_freq: Ignored = False,
    sparse: Ignored = False,
) -> Built:
    """One row for each number; that of `padding_idx` is zero."""
    shape = (parse_size("num_embeddings", num_embeddings, 0), parse_size("embedding_dim", embedding_dim, 0))
    if padding_idx is None:
        return Built([Weight("weight", shape, "embedding_default")])
    row = parse_size("padding_idx", padding_idx, -num_embeddings)
    if row >= num_embeddings:
        what = f"`padding_idx` must be below `num_embeddings`, got {row} and {num_embeddings}"
        raise ArgumentError(what, parameter="padding_idx")
    return Built([Weight("weight", shape, f"embedding_default(padding_idx={row})")])


@layer("torch", "EmbeddingBag")
def embedding_bag(
    num_embeddings: int,
    embedding_dim: int,
    max_norm: Ignored = None,
    norm_type: Ignored = 2.0,
    scale_grad_by_freq: Ignored = False,
    mode: str = "mean",
    sparse: Ignored = False,
    include_last_offset: Ignored = False,
    padding_idx: int | None = None,
) -> Built:
    """The sum, mean or maximum of several rows of an embedding."""
    check_choice("mode", mode, ("sum", "mean", "max"))
    return embedding(num_embeddings, embedding_dim, padding_idx)
