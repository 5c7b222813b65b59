"""What Keras 2.2 and 2.3 have of their own: cut normals that are widened, with Keras 2's fans, and a tiled identity.

Source: keras-team/keras 2.2.4 and 2.3.1, `keras/initializers.py`.
"""

from __future__ import annotations

from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans
from initcli.initializers import keras, variance_scaling
from initcli.initializers.arguments import check_rank
from initcli.initializers.base import Initializer
from initcli.initializers.keras2 import ScaledByKeras2, VarianceScalingBody
from initcli.initializers.registry import register
from initcli.laws import Law
from initcli.laws.fixed import TiledEye


class Keras22Initializer(Initializer):
    """An initializer of the framework `keras2_2`."""

    framework: ClassVar[str] = "keras2_2"


@register
class VarianceScaling(Keras22Initializer, VarianceScalingBody):
    """Draw with a variance that is scaled to the fan of the shape, as Keras 2.2 and 2.3 did.

    std = √(scale / n),  n = max(1, fan_in), fan_out or (fan_in + fan_out) / 2
    both fans are √size at rank 1 and from rank 6 on
    normal: cut at ±2 of 1.1368 std, so that std holds after the cut;  uniform: U[−L, L), L = √3 std

    Bounds: normal ±2.2737 std; uniform ±1.7321 std
    Differs: Keras up to 2.1 does not widen the normal; since 2.4 rank 1 has the fans n, n.
    Source: Keras 2.2.4
    """


@register
class GlorotNormal(Keras22Initializer, ScaledByKeras2, variance_scaling.GlorotNormal):
    """Draw weights from a cut normal by Glorot and Bengio's fans, as Keras 2.2 and 2.3 did.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / (fan_in + fan_out))
    both fans are √size at rank 1 and from rank 6 on

    Bounds: ±2.2737 std
    Differs: Keras up to 2.1 gives 0.8796 std; since 2.4 rank 1 has the fans n, n.
    Source: Keras 2.2.4; Glorot & Bengio (2010)
    """


@register
class HeNormal(Keras22Initializer, ScaledByKeras2, variance_scaling.HeNormal):
    """Draw weights from a cut normal by He's fan, as Keras 2.2 and 2.3 did.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(2 / fan_in)
    fan_in is √size at rank 1 and from rank 6 on

    >>> HeNormal().law((64,)).std
    0.5

    Bounds: ±2.2737 std
    Differs: Keras up to 2.1 gives 0.8796 std; since 2.4 rank 1 has the fan n.
    Source: Keras 2.2.4; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """


@register
class LecunNormal(Keras22Initializer, ScaledByKeras2, variance_scaling.LecunNormal):
    """Draw weights from a cut normal by LeCun's fan, as Keras 2.2 and 2.3 did.

    W ~ N(0, (1.1368 std)²) kept within two of it,  std = √(1 / fan_in)
    fan_in is √size at rank 1 and from rank 6 on

    Bounds: ±2.2737 std
    Differs: Keras up to 2.1 gives 0.8796 std; since 2.4 rank 1 has the fan n.
    Source: Keras 2.2.4; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """


@register
class TiledIdentity(Keras22Initializer, keras.Identity):
    """Put identity matrices side by side along the longer axis.

    W[i, j] = gain if i ≡ j modulo min(rows, cols), else 0

    >>> TiledIdentity()((2, 4), "int8").tolist()
    [[1, 0, 1, 0], [0, 1, 0, 1]]

    Bounds: 0 and gain
    Differs: Keras up to 2.2.2 refuses what is not square; since 2.2.5 it fills the main diagonal alone.
    Source: Keras 2.2.4; 2.2.3 had it too
    """

    aliases: ClassVar[tuple[str, ...]] = ("Identity",)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        short, long = sorted(shape)
        if short and long % short:
            what = f"`{self.name}` needs a longer side that is a multiple of the shorter, got {list(shape)}"
            raise ArgumentError(what, "`keras.identity` takes any matrix", parameter="shape")
        return TiledEye(shape[0], shape[1], self.gain)
