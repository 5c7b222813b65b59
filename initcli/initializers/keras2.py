"""Keras 2's initializers whose laws Keras changed later: `keras2_1` has those of 2.0 and 2.1, `keras2_2` of 2.2.

Up to 2.1 a cut normal was not widened, and up to 2.3 rank 1 and ranks from 6 on had √size for both fans.

Source: keras-team/keras 2.0.9, 2.1.6 and 2.2.4, `keras/initializers.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, keras2_fans
from initcli.fixed_laws import TiledEye
from initcli.initializers import keras, keras_scaling
from initcli.initializers.base import Initializer, check_rank, parameter
from initcli.initializers.keras_scaling import Rule, ScaledInitializer, uncorrected
from initcli.initializers.registry import register
from initcli.laws import Law


class Keras21Initializer(Initializer):
    """An initializer of the framework `keras2_1`."""

    framework: ClassVar[str] = "keras2_1"


class _Scaled(Keras21Initializer, ScaledInitializer):
    """What scales with the fans of Keras 2 and is not widened for its cut."""

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return keras2_fans(shape)

    def scale_law(self, rule: Rule, shape: tuple[int, ...], fans: Fans | None) -> Law:
        return super().scale_law(uncorrected(rule), shape, fans)


@register
@dataclass(frozen=True)
class VarianceScaling(_Scaled, keras_scaling.VarianceScaling):
    """Draw with a variance that is scaled to the fan of the shape, as Keras 2.0 and 2.1 did.

    s = √(scale / n),  n = max(1, fan_in), fan_out or (fan_in + fan_out) / 2
    both fans are √size at rank 1 and from rank 6 on
    normal: N(0, s²) kept within ±2 s, std = 0.87962566 s;  uniform: U[−L, L), L = √3 s

    Bounds: normal ±2 s; uniform ±1.7321 s
    Differs: Keras since 2.2 widens the normal, so that the std is s after the cut, and takes no mode in capitals.
    Source: Keras 2.0.9
    """

    distributions: ClassVar[tuple[str, ...]] = ("normal", "uniform")

    distribution: str = parameter("normal", "normal, which is cut, or uniform")

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", str(self.mode).lower())
        super().__post_init__()


@register
class GlorotUniform(_Scaled, keras_scaling.GlorotUniform):
    """Draw weights uniformly by Glorot and Bengio's fans, as Keras 2.0 to 2.3 did.

    W ~ U[−L, L),  L = √(6 / (fan_in + fan_out)),  std = √(2 / (fan_in + fan_out))
    both fans are √size at rank 1 and from rank 6 on

    >>> GlorotUniform().law((90000,)).high
    0.1

    Bounds: ±√(6 / (fan_in + fan_out))
    Differs: Keras since 2.4 has the fans n, n at rank 1, and counts the receptive field at every rank.
    Source: Keras 2.0.9 and 2.2.4; Glorot & Bengio (2010)
    """


@register
class GlorotNormal(_Scaled, keras_scaling.GlorotNormal):
    """Draw weights from a cut normal by Glorot and Bengio's fans, as Keras 2.0 and 2.1 did.

    W ~ N(0, s²) kept within ±2 s,  s = √(2 / (fan_in + fan_out)),  std = 0.87962566 s
    both fans are √size at rank 1 and from rank 6 on

    Bounds: ±2 s
    Differs: Keras since 2.2 widens the normal, so that the std is s after the cut; PyTorch does not cut.
    Source: Keras 2.0.9; Glorot & Bengio (2010)
    """


@register
class HeUniform(_Scaled, keras_scaling.HeUniform):
    """Draw weights uniformly by He's fan, as Keras 2.0 to 2.3 did.

    W ~ U[−L, L),  L = √(6 / fan_in),  std = √(2 / fan_in)
    fan_in is √size at rank 1 and from rank 6 on

    Bounds: ±√(6 / fan_in)
    Differs: Keras since 2.4 has the fan n at rank 1, and counts the receptive field at every rank.
    Source: Keras 2.0.9; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """


@register
class HeNormal(_Scaled, keras_scaling.HeNormal):
    """Draw weights from a cut normal by He's fan, as Keras 2.0 and 2.1 did.

    W ~ N(0, s²) kept within ±2 s,  s = √(2 / fan_in),  std = 0.87962566 s
    fan_in is √size at rank 1 and from rank 6 on

    >>> HeNormal().law((3, 3, 64, 128)).std
    0.051832439151917535

    Bounds: ±2 s
    Differs: Keras since 2.2 widens the normal, so that the std is s after the cut; PyTorch does not cut.
    Source: Keras 2.0.9; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """


@register
class LecunUniform(_Scaled, keras_scaling.LecunUniform):
    """Draw weights uniformly by LeCun's fan, as Keras 2.0 to 2.3 did.

    W ~ U[−L, L),  L = √(3 / fan_in),  std = √(1 / fan_in)
    fan_in is √size at rank 1 and from rank 6 on

    Bounds: ±√(3 / fan_in)
    Differs: Keras since 2.4 has the fan n at rank 1, and counts the receptive field at every rank.
    Source: Keras 2.0.9; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """


@register
class LecunNormal(_Scaled, keras_scaling.LecunNormal):
    """Draw weights from a cut normal by LeCun's fan, as Keras 2.0.6 to 2.1 did.

    W ~ N(0, s²) kept within ±2 s,  s = √(1 / fan_in),  std = 0.87962566 s
    fan_in is √size at rank 1 and from rank 6 on

    Bounds: ±2 s
    Differs: Keras since 2.2 widens the normal, so that the std is s after the cut.
    Source: Keras 2.0.9; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """


@register
class SquareIdentity(Keras21Initializer, keras.Identity):
    """Put ones on the main diagonal of a square matrix.

    W[i, j] = gain if i = j, else 0

    Bounds: 0 and gain
    Differs: Keras 2.2.3 and 2.2.4 tile the square; later versions take any matrix.
    Source: Keras 2.0.9; Keras up to 2.2.2 had it
    """

    aliases: ClassVar[tuple[str, ...]] = ("Identity",)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        if len(shape) != 2 or shape[0] != shape[1]:
            what = f"`{self.name}` needs a square matrix, got {list(shape)}"
            raise ArgumentError(what, "`keras.identity` takes any matrix", parameter="shape")
        return super().law(shape, fans)


@register
class TiledIdentity(keras.Identity):
    """Put identity matrices side by side along the longer axis.

    W[i, j] = gain if i ≡ j modulo min(rows, cols), else 0

    >>> TiledIdentity()((2, 4), "int8").tolist()
    [[1, 0, 1, 0], [0, 1, 0, 1]]

    Bounds: 0 and gain
    Differs: Keras up to 2.2.2 refuses what is not square; since 2.2.5 it fills the main diagonal alone.
    Source: Keras 2.2.4; 2.2.3 had it too
    """

    framework: ClassVar[str] = "keras2_2"
    aliases: ClassVar[tuple[str, ...]] = ("Identity",)

    def law(self, shape: tuple[int, ...], fans: Fans | None = None) -> Law:
        check_rank(self.name, shape, 2, 2)
        short, long = sorted(shape)
        if short and long % short:
            what = f"`{self.name}` needs a longer side that is a multiple of the shorter, got {list(shape)}"
            raise ArgumentError(what, "`keras.identity` takes any matrix", parameter="shape")
        return TiledEye(shape[0], shape[1], self.gain)
