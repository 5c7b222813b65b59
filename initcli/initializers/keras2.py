"""Keras 2's initializers whose laws Keras changed later: `keras2_1` are 2.0 and 2.1, `keras2_2` are 2.2 and 2.3.

Up to 2.1 a cut normal was not widened, and up to 2.3 rank 1 and ranks from 6 on had √size for both fans. What did not
change between the two is `keras2_1`'s, and what did not change since is `keras`'s.

Source: keras-team/keras 2.0.9, 2.1.6 and 2.2.4, `keras/initializers.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from initcli.errors import ArgumentError
from initcli.fans import Fans, keras2_fans
from initcli.initializers import keras, variance_scaling
from initcli.initializers.base import Initializer, parameter
from initcli.initializers.bodies import SvdBody
from initcli.initializers.registry import lend, register
from initcli.initializers.variance_scaling import Rule, ScaledInitializer, uncorrected
from initcli.laws import Law

for _unchanged in (
    *(keras.Zeros, keras.Ones, keras.Constant),
    *(keras.RandomNormal, keras.RandomUniform, keras.TruncatedNormal),
):
    lend(_unchanged, "keras2_1", "keras2_2")


class Keras21Initializer(Initializer):
    """An initializer of the framework `keras2_1`."""

    framework: ClassVar[str] = "keras2_1"


class ScaledByKeras2(ScaledInitializer):
    """What scales with the fans of Keras 2."""

    def fans(self, shape: tuple[int, ...]) -> Fans:
        return keras2_fans(shape)


@dataclass(frozen=True)
class VarianceScalingBody(ScaledByKeras2, variance_scaling.VarianceScaling):
    """The variance scaling of Keras 2: two distributions, and a mode in any letters."""

    distributions: ClassVar[tuple[str, ...]] = ("normal", "uniform")

    distribution: str = parameter("normal", "normal, which is cut, or uniform")

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", str(self.mode).lower())
        super().__post_init__()


class _Scaled(Keras21Initializer, ScaledByKeras2):
    """What scales with the fans of Keras 2 and is not widened for its cut."""

    def scale_law(self, rule: Rule, shape: tuple[int, ...], fans: Fans | None) -> Law:
        return super().scale_law(uncorrected(rule), shape, fans)


@register
class VarianceScaling(_Scaled, VarianceScalingBody):
    """Draw with a variance that is scaled to the fan of the shape, as Keras 2.0 and 2.1 did.

    s = √(scale / n),  n = max(1, fan_in), fan_out or (fan_in + fan_out) / 2
    both fans are √size at rank 1 and from rank 6 on
    normal: N(0, s²) kept within ±2 s, std = 0.87962566 s;  uniform: U[−L, L), L = √3 s

    Bounds: normal ±2 s; uniform ±1.7321 s
    Differs: Keras since 2.2 widens the normal, so that the std is s after the cut, and takes no mode in capitals.
    Source: Keras 2.0.9
    """


@register
class GlorotUniform(_Scaled, variance_scaling.GlorotUniform):
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
class GlorotNormal(_Scaled, variance_scaling.GlorotNormal):
    """Draw weights from a cut normal by Glorot and Bengio's fans, as Keras 2.0 and 2.1 did.

    W ~ N(0, s²) kept within ±2 s,  s = √(2 / (fan_in + fan_out)),  std = 0.87962566 s
    both fans are √size at rank 1 and from rank 6 on

    Bounds: ±2 s
    Differs: Keras since 2.2 widens the normal, so that the std is s after the cut; PyTorch does not cut.
    Source: Keras 2.0.9; Glorot & Bengio (2010)
    """


@register
class HeUniform(_Scaled, variance_scaling.HeUniform):
    """Draw weights uniformly by He's fan, as Keras 2.0 to 2.3 did.

    W ~ U[−L, L),  L = √(6 / fan_in),  std = √(2 / fan_in)
    fan_in is √size at rank 1 and from rank 6 on

    Bounds: ±√(6 / fan_in)
    Differs: Keras since 2.4 has the fan n at rank 1, and counts the receptive field at every rank.
    Source: Keras 2.0.9; He, Zhang, Ren & Sun (2015), https://arxiv.org/abs/1502.01852
    """


@register
class HeNormal(_Scaled, variance_scaling.HeNormal):
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
class LecunUniform(_Scaled, variance_scaling.LecunUniform):
    """Draw weights uniformly by LeCun's fan, as Keras 2.0 to 2.3 did.

    W ~ U[−L, L),  L = √(3 / fan_in),  std = √(1 / fan_in)
    fan_in is √size at rank 1 and from rank 6 on

    Bounds: ±√(3 / fan_in)
    Differs: Keras since 2.4 has the fan n at rank 1, and counts the receptive field at every rank.
    Source: Keras 2.0.9; LeCun, Bottou, Orr & Müller (1998), Efficient BackProp
    """


@register
class LecunNormal(_Scaled, variance_scaling.LecunNormal):
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
@dataclass(frozen=True)
class Orthogonal(Keras21Initializer, SvdBody):
    """Draw a matrix of singular vectors, as Keras 2.0 to 2.3 did: its rows or columns are orthonormal.

    W = gain U of the thin SVD U S Vᵀ of a rows × cols matrix of N(0, 1), or gain Vᵀ where rows < cols
    (…, cols) is flattened to rows × cols

    Bounds: ±gain; every entry has mean square gain² / max(rows, cols)
    Differs: Keras since 2.4 takes a QR and fixes its signs, for a Haar matrix. The bits rest on LAPACK.
    Source: Keras 2.0.9 and 2.2.4; Saxe, McClelland & Ganguli (2013), https://arxiv.org/abs/1312.6120
    """

    name: ClassVar[str] = "orthogonal"
    gain_name: ClassVar[str] = "gain"
    is_last: ClassVar[bool] = True

    gain: float = parameter(1.0, "what the singular vectors are multiplied with")


for _same in (GlorotUniform, HeUniform, LecunUniform, Orthogonal):
    lend(_same, "keras2_2")
