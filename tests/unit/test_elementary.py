"""Elementary functions made of correctly rounded operations, against mpmath and by their identities."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from numpy.typing import NDArray

from initcli.elementary import QUARTER, TURN, exp, expm1, log, multiply, sine, split

Floats = NDArray[np.float64]

EXPONENTS = st.floats(-708, 709)
POSITIVE = st.floats(np.finfo(np.float64).tiny, allow_infinity=False)
ANGLES = st.integers(0, TURN - 1)


def exactly(function: str, x: float) -> mpf:
    """Return a function's value with 200 bits."""
    with mp.workprec(200):
        return getattr(mp, function)(mpf(x))


def ulps(found: float, exact: mpf) -> float:
    """Return how far a float64 lies from an exact value, in units of that value's last place."""
    with mp.workprec(200):
        return float(abs(mpf(found) - exact) / mpf(float(np.spacing(abs(float(exact))))))


def sines(*angles: int) -> list[float]:
    parts = np.array([split(angle) for angle in angles], np.uint64)
    return sine(parts[:, 0], parts[:, 1]).tolist()


# The errors that the module states, in ulp.
WORST = [(exp, "exp", 0.9), (expm1, "expm1", 1.6), (log, "log", 3.0)]
WORST_SINE = 2.6


@pytest.mark.parametrize(("function", "name", "worst"), WORST)
def test_a_function_keeps_to_its_stated_error(function: Callable[[Floats], Floats], name: str, worst: float) -> None:
    """Over its range, near its zero, and near the seams of its reduction."""
    rng = np.random.default_rng(3)
    small = 10 ** rng.uniform(-18, 0, 2000)
    x = np.concatenate([rng.uniform(-708, 709, 4000), rng.uniform(-1, 1, 4000), small, -small, [0.0, -708.0, 709.0]])
    x = np.concatenate([x, np.arange(-40, 40) * np.log(2) / 2])
    if name == "log":
        x = np.concatenate([exp(x), 1 + small / 2, 1 - small / 2, rng.uniform(0.7, 1.5, 4000), [np.finfo(float).tiny]])
    x = x[np.array([exactly(name, each) != 0 for each in x.tolist()])]

    found = function(x.copy()).tolist()

    assert max(ulps(f, exactly(name, each)) for f, each in zip(found, x.tolist(), strict=True)) <= worst


@given(EXPONENTS)
def test_exp_and_expm1_are_near_the_exact_value_everywhere(x: float) -> None:
    """And exact at zero."""
    for function, name, worst in WORST[:2]:
        exact = exactly(name, x)
        (found,) = function(np.array([x])).tolist()
        assert found == 0 if exact == 0 else ulps(found, exact) <= worst


@given(POSITIVE)
def test_log_is_near_the_exact_value_everywhere(x: float) -> None:
    """For every positive normal number; exact at one."""
    exact = exactly("log", x)
    (found,) = log(np.array([x])).tolist()

    assert found == 0 if exact == 0 else ulps(found, exact) <= WORST[2][2]


@given(ANGLES)
def test_a_sine_is_near_the_exact_value_everywhere(angle: int) -> None:
    """Also next to zero and next to half a turn, where it has all its digits."""
    with mp.workprec(300):
        exact = mp.sin(2 * mp.pi * mpf(angle) / TURN) if angle not in (0, TURN // 2) else mpf(0)

    for nearby, sign in ((angle, 1), (TURN // 2 - angle, 1), (angle + TURN // 2, -1), (-angle, -1)):
        (found,) = sines(nearby)
        assert found == 0 if exact == 0 else ulps(sign * found, exact) <= WORST_SINE


@pytest.mark.parametrize("bits", range(0, 96, 7))
def test_sines_of_small_angles_keep_their_digits(bits: int) -> None:
    """Down to the smallest angle that there is."""
    rng = np.random.default_rng(bits)
    angles = [1 + int(rng.integers(2**62)) * 2**34 % 2**bits for _ in range(50)]

    with mp.workprec(300):
        exact = [mp.sin(2 * mp.pi * mpf(angle) / TURN) for angle in angles]

    assert max(ulps(found, each) for found, each in zip(sines(*angles), exact, strict=True)) <= WORST_SINE


def test_sines_at_the_quarters_are_exact() -> None:
    """0, 1, 0, −1, and round again."""
    assert sines(*(QUARTER * n for n in range(6))) == [0.0, 1.0, 0.0, -1.0, 0.0, 1.0]


@given(ANGLES)
def test_a_sine_is_exactly_symmetric(angle: int) -> None:
    """sin(½ − x) = sin x, sin(x + ½) = sin(−x) = −sin x, to the bit."""
    one, mirrored, opposite, negative = sines(angle, TURN // 2 - angle, angle + TURN // 2, -angle)

    assert one == mirrored == -opposite == -negative
    assert abs(one) <= 1


@given(ANGLES)
def test_the_squares_of_sine_and_cosine_make_one(angle: int) -> None:
    """Each is off by 2.6 ulp at most, of numbers below one."""
    one, other = sines(angle, angle + QUARTER)

    # 2 (s Δs + c Δc) ≤ 2 · √2 · 2.6 ulp, and two squares and a sum rounded
    assert abs(one * one + other * other - 1) <= (2 * np.sqrt(2) * WORST_SINE + 3) * 2.0**-53


@given(ANGLES, st.integers(0, 2**32 - 1))
def test_a_multiple_of_an_angle_is_exact(angle: int, count: int) -> None:
    """All 96 bits of it, whole turns left out."""
    parts = (np.array([part], np.uint64) for part in split(angle))
    word, rest = multiply(np.array([count], np.uint64), *parts)

    assert (int(word[0]) << 32) + int(rest[0]) == count * angle % TURN


@given(st.floats(-300, 300), st.floats(-300, 300))
def test_exp_makes_products_of_sums(x: float, y: float) -> None:
    """e^(x + y) = eˣ eʸ, but for the rounding of the sum and of three exponentials."""
    (both,), (one,), (other,) = (exp(np.array([each])).tolist() for each in (x + y, x, y))

    # the sum is off by half an ulp of at most 2⁹; exponentials by 0.9 ulp each; one product
    assert abs(one * other / both - 1) <= 2.0**-53 * (2**10 + 3 * 2 * 0.9 + 3)


@given(st.floats(-708, 709))
def test_log_undoes_exp(x: float) -> None:
    """But for 0.9 ulp of eˣ and 3 of x."""
    (back,) = log(exp(np.array([x]))).tolist()

    assert abs(back - x) <= 3 * np.spacing(abs(x)) + 2 * 0.9 * 2.0**-52
