"""Keras reads what is generated: the example of the README, and bfloat16."""

from __future__ import annotations

import h5py
import keras
import ml_dtypes
import numpy as np
import pytest
from keras.src.saving.saving_lib import H5IOStore

from initcli.initializers import get

FRAMEWORK = f"keras {keras.__version__}"


@pytest.mark.proves("specs/mlp.yaml")
def test_a_generated_file_holds_what_the_initializer_draws(specs, generate, tmp_path):
    """The file of the README's example and the Python API give the same bits for the same seed and name."""
    path = generate(specs / "mlp.yaml", tmp_path / "weights.h5")

    with h5py.File(path, "r") as file:
        written = file["fc1/kernel"][...]

    drawn = get("he_normal", seed=42)(shape=(784, 256), dtype="float32", name="fc1/kernel")
    assert written.tobytes() == drawn.tobytes()


BFLOAT16_SPEC = """\
initcli: 1
framework: keras
seed: 42
dtype: {dtype}
tensors:
  layers/dense/vars/0: {{shape: [64, 32], init: he_normal}}
  layers/dense/vars/1: {{shape: [32], init: random_normal(stddev=0.02)}}
"""


@pytest.mark.loads(file="`.h5`", how="saving_lib.H5IOStore", what="bfloat16")
def test_keras_reads_bfloat16_from_an_h5_file(generate, tmp_path):
    """Keras's own weight store gives bfloat16 arrays equal to the float32 file rounded once, to nearest even."""
    arrays = {}
    for dtype in ("bfloat16", "float32"):
        spec = tmp_path / f"{dtype}.yaml"
        spec.write_text(BFLOAT16_SPEC.format(dtype=dtype), "utf-8")
        store = H5IOStore(generate(spec, tmp_path / f"{dtype}.h5"), mode="r")
        entry = store.get("layers/dense")
        arrays[dtype] = [np.asarray(entry[index]) for index in ("0", "1")]
        store.close()

    for half, full in zip(arrays["bfloat16"], arrays["float32"], strict=True):
        assert half.dtype == ml_dtypes.bfloat16
        assert half.tobytes() == full.astype(ml_dtypes.bfloat16).tobytes()
    dense = keras.layers.Dense(32, dtype="bfloat16")
    dense.build((None, 64))
    dense.set_weights(arrays["bfloat16"])
    assert np.asarray(dense.kernel).tobytes() == arrays["bfloat16"][0].tobytes()
