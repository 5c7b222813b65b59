"""The addressable stream, scheme 1."""

import hashlib

import numpy as np
import pytest
from numpy.random import PCG64DXSM, SeedSequence

from initcli.stream import Stream, key_words


def test_the_key_is_sha256_of_a_tag_and_the_length_prefixed_name() -> None:
    """Whoever reads the design can compute the key of a name without this program."""
    name = "fc1/kernel·ß"

    words = key_words(name)

    text = name.encode()
    digest = hashlib.sha256(b"initcli/stream/1\0" + len(text).to_bytes(8, "little") + text).digest()
    assert words == np.frombuffer(digest, "<u4").tolist()


def test_words_are_the_raw_words_of_pcg64dxsm_seeded_by_key_and_seed() -> None:
    """The words at the front are those that NumPy's generator gives without any jump."""
    generator = PCG64DXSM(SeedSequence([*key_words("w"), 7]))

    assert Stream(7, "w").words(0, 100).tolist() == generator.random_raw(100).tolist()


@pytest.mark.parametrize("start", [1, 63, 10**6, 2**40, 2**63])
def test_a_jump_lands_on_the_word_that_walking_reaches(start: int) -> None:
    """Word start + 5 is the same from `start` as from `start + 5`; small starts are also walked to."""
    stream = Stream(0, "w")

    here = stream.words(start, start + 10)

    assert here[5:].tolist() == stream.words(start + 5, start + 10).tolist()
    if start <= 10**6:
        assert here.tolist() == stream.words(0, start + 10)[start:].tolist()


def test_even_elements_take_the_low_half_of_a_word_and_odd_ones_the_high() -> None:
    """At 32 bits element i comes from word i // 2, by arithmetic and not by the machine's byte order."""
    stream = Stream(3, "w")
    words = stream.words(0, 50).tolist()

    draws = stream.draws(0, 100, 32).tolist()

    halves = [half for word in words for half in (word & 0xFFFFFFFF, word >> 32)]
    assert draws == [half - 2**32 if half >= 2**31 else half for half in halves]


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 1), (1, 1), (1, 2), (3, 10), (4, 9), (99, 100)])
def test_any_range_is_the_slice_of_the_whole(bits: int, start: int, stop: int) -> None:
    """Odd and even ends, empty ranges and single elements included."""
    stream = Stream(5, "w")

    assert stream.draws(start, stop, bits).tolist() == stream.draws(0, 100, bits)[start:stop].tolist()


def test_a_seed_of_any_size_counts_in_full() -> None:
    """Seeds that agree in their low 32, 64 or 128 bits still give different words."""
    seeds = [1, 1 + 2**32, 1 + 2**64, 1 + 2**128, 1 + 2**200]

    firsts = {int(Stream(seed, "w").words(0, 1)[0]) for seed in seeds}

    assert len(firsts) == len(seeds)
