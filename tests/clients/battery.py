"""The one battery of tests that every framework's initializers pass: tables of cases, and what is asked of each case.

A framework's file subclasses `Battery`, fills the tables in and says how the framework itself draws. The closed forms
are SciPy's distributions, with gains and fans written out by hand in the tables.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import MISSING
from inspect import Parameter
from typing import Any, ClassVar

import numpy as np
import pytest
from closed_forms import FALSE_ALARM
from scipy import stats

from initcli.initializers import get, registered

OURS, THEIRS = 42, 1234  # seeds

REFUSALS = (ValueError, TypeError, RuntimeError, NotImplementedError, IndexError, ZeroDivisionError)
"""What a framework raises; here it is always a ValueError."""


def over(table, kind="laws", *, both=False):
    """Mark a test as one of every case in `table`, which compares `kind`; if `both`, once for each of the two sides."""
    return pytest.mark.over(table, kind, both=both)


class Battery:
    """What a framework's initializers are asked. A subclass has the tables; one that it lacks is empty."""

    framework: ClassVar[str]
    """As initcli calls it."""

    is_run: ClassVar[bool] = True
    """Whether the framework itself is there to be asked about arguments, and not just its formulas."""

    exempt: ClassVar[tuple[str, ...]] = ()
    """Modules of initcli whose entries another file of tests proves."""

    extras: ClassVar[tuple[str, ...]] = ("dtype",)
    """What the framework's functions take beside the parameters of the initializer."""

    refusals: ClassVar[tuple[type[Exception], ...]] = REFUSALS
    """What the framework raises for an argument that it does not take."""

    moments: ClassVar[dict[str, float]] = {}
    """How far SciPy's own mean and std of an entry's closed form may be off, where that is more than roundings."""

    proving: ClassVar[tuple[str, ...]] = ("random", "fixed")
    """The tables of which an entry must be in one."""

    columns: ClassVar[dict[str, tuple[str, ...]]] = {
        "random": ("name", "parameters", "shape", "law"),
        "fixed": ("name", "parameters", "shape"),
        "widthless": ("name", "parameters", "shape"),
        "accepted": ("name", "parameters", "shape", "dtype"),
        "stricter": ("name", "parameters", "shape", "dtype"),
        "refused": ("name", "parameters", "shape", "dtype"),
        "fans": ("name", "parameters", "shape"),
        "entries": ("name",),
        "numbers": ("name", "number"),
    }
    """The columns of the tables. A dtype that is left out is float32."""

    random: ClassVar[list] = []
    """Entries of independent elements, and their laws in closed form."""
    fixed: ClassVar[list] = []
    """Entries whose values are not random."""
    widthless: ClassVar[list] = []
    """Random entries of such parameters or shapes that their values are not random either."""
    accepted: ClassVar[list] = []
    """Odd arguments that the framework lets through, and so must initcli."""
    stricter: ClassVar[list] = []
    """Arguments that the framework lets through and initcli refuses, as its page or its design says."""
    refused: ClassVar[list] = []
    """Arguments that both refuse."""
    fans: ClassVar[list] = []
    """Shapes whose fans are compared."""
    careless: ClassVar[tuple[str, ...]] = ()
    """Entries of which the framework makes an empty tensor where a dimension is negative."""
    special: ClassVar[tuple[str, ...]] = ()
    """Entries that are proven by tests of the subclass."""

    def draw_theirs(self, name, parameters, shape, seed=THEIRS, dtype="float32"):
        """Return the framework's own array."""
        raise NotImplementedError

    def fans_theirs(self, parameters, shape):
        """Return the framework's own fan_in and fan_out."""
        raise NotImplementedError

    def signature_theirs(self, name):
        """Return the framework's parameters of an entry."""
        raise NotImplementedError

    def draw_ours(self, name, parameters, shape, seed=OURS, dtype="float32", tensor="w"):
        """Return initcli's array."""
        return get(f"{self.framework}.{name}", seed=seed, **parameters)(shape=shape, dtype=dtype, name=tensor)

    def draw(self, side, *case, **rest):
        """Return an array of `ours` or `theirs`."""
        return getattr(self, f"draw_{side}")(*case, **rest)

    @classmethod
    def entries_ours(cls):
        """Return the classes that are registered for the framework, by name, but those of the exempt modules."""
        mine = (each for each in registered().values() if each.framework == cls.framework)
        return {each.name: each for each in mine if each.__module__.rpartition(".")[2] not in cls.exempt}

    def pytest_generate_tests(self, metafunc):
        """Make one test of every case of the table that a test is marked with."""
        marker = metafunc.definition.get_closest_marker("over")
        if not marker:
            return
        table, _ = marker.args
        columns = self.columns[table]
        cases = getattr(self, table)
        if columns[-1] == "dtype":
            cases = [(*case, "float32")[: len(columns)] for case in cases]
        metafunc.parametrize(columns, cases or [pytest.param(*columns, marks=pytest.mark.absent)])
        if marker.kwargs["both"]:
            metafunc.parametrize("side", ["ours", "theirs"])

    @property
    def entries(self):
        """What is registered, as cases."""
        return [(name,) for name in self.entries_ours() if self.is_run]

    @property
    def numbers(self):
        """The parameters of what is registered that are numbers, as cases."""
        return [
            (name, field.name)
            for (name,) in self.entries
            for field in self.entries_ours()[name].parameters()
            if type(self.some_case(name)[0].get(field.name, field.default)) in (int, float)
        ]

    def some_case(self, name):
        """Return parameters and a shape that an entry takes."""
        tables = (getattr(self, table) for table in (*self.proving, "widthless"))
        return next(case[1:3] for table in tables for case in table if case[0] == name)

    @over("random")
    def test_values_follow_the_law_that_the_framework_draws_from(self, name, parameters, shape, law):
        """A two-sample Kolmogorov–Smirnov test does not tell our values from the framework's."""
        ours, theirs = self.draw_ours(name, parameters, shape), self.draw_theirs(name, parameters, shape)

        found = stats.ks_2samp(ours.ravel(), theirs.ravel(), method="asymp")

        assert ours.shape == theirs.shape == shape
        assert found.pvalue > FALSE_ALARM

    @over("random", both=True)
    def test_mean_and_std_are_those_of_the_closed_form(self, name, parameters, shape, law, side):
        """Sample mean and std of both sides lie within five standard errors of the formula."""
        values = self.draw(side, name, parameters, shape).astype(np.float64)

        kurtosis = float(law.stats("k")) + 3
        mean_error = law.std() / math.sqrt(values.size)
        std_error = law.std() * math.sqrt((kurtosis - 1) / (4 * values.size))

        assert abs(values.mean() - law.mean()) <= 5 * mean_error
        assert abs(values.std() - law.std()) <= 5 * std_error

    @over("random", both=True)
    def test_extremes_keep_to_the_bounds_and_come_near_them(self, name, parameters, shape, law, side):
        """No value passes a bound by more than a rounding, and the extremes are as far out as a sample's must be."""
        values = self.draw(side, name, parameters, shape)

        low, high = (np.float32(bound) for bound in law.support())
        assert np.nextafter(low, np.float32(-np.inf)) <= values.min()
        assert values.max() <= np.nextafter(high, np.float32(np.inf))
        # the chance that all n values stay below the largest one seen: F(max)^n, uniform on (0, 1)
        nobody_above = math.exp(values.size * law.logcdf(float(values.max())))
        nobody_below = math.exp(values.size * law.logsf(float(values.min())))
        assert nobody_above >= FALSE_ALARM / 2
        assert nobody_below >= FALSE_ALARM / 2
        if math.isinf(high):
            assert nobody_above <= 1 - FALSE_ALARM / 2
            assert nobody_below <= 1 - FALSE_ALARM / 2

    @over("random")
    def test_the_promised_law_is_the_closed_form(self, name, parameters, shape, law):
        """`law(shape)` states the mean, std and bounds of the formula, to the roundings of either side."""
        promised = get(f"{self.framework}.{name}", **parameters).law(shape)

        # at most eight operations lie between the parameters and each figure
        rounding = self.moments.get(name, 8 * np.finfo(np.float64).eps)
        assert promised.mean == pytest.approx(law.mean(), rel=rounding, abs=rounding * law.std())
        assert promised.std == pytest.approx(law.std(), rel=rounding)
        low, high = law.support()
        assert promised.low == pytest.approx(low, rel=rounding, abs=rounding * law.std())
        assert promised.high == pytest.approx(high, rel=rounding, abs=rounding * law.std())

    @over("fans")
    def test_fans_are_those_that_the_framework_reads(self, name, parameters, shape):
        """To the roundings of three divisions and one product, whole numbers exactly; or both refuse the shape."""
        initializer = get(f"{self.framework}.{name}", **parameters)
        try:
            theirs = self.fans_theirs(parameters, shape)
        except self.refusals:
            with pytest.raises(ValueError, match=r"."):
                initializer.fans(shape)
        else:
            fans = initializer.fans(shape)
            assert (fans.fan_in, fans.fan_out) == pytest.approx(theirs, rel=4 * 2**-53, abs=0)

    @over("fixed", "values")
    def test_what_is_not_random_agrees_element_for_element(self, name, parameters, shape):
        """The same values in float32, but for the sign of a zero."""
        self.check_equal(name, parameters, shape)

    @over("widthless", "values")
    def test_a_random_law_of_no_width_agrees_element_for_element(self, name, parameters, shape):
        """Nothing is left of chance where the std, the interval or the tensor is empty."""
        self.check_equal(name, parameters, shape)

    def check_equal(self, name, parameters, shape):
        """Compare the elements of both sides."""
        ours, theirs = self.draw_ours(name, parameters, shape), self.draw_theirs(name, parameters, shape)

        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape == shape
        np.testing.assert_array_equal(ours, theirs)

    @over("accepted", "arguments")
    def test_what_the_framework_lets_through_is_let_through(self, name, parameters, shape, dtype):
        """An array of that shape and dtype on both sides: no division by zero, no refusal."""
        ours, theirs = (self.draw(side, name, parameters, shape, dtype=dtype) for side in ("ours", "theirs"))

        assert ours.shape == theirs.shape == shape
        assert ours.dtype == theirs.dtype
        assert np.isfinite(ours).all()

    @over("stricter", "arguments")
    def test_what_is_refused_here_alone_is_let_through_there(self, name, parameters, shape, dtype):
        """So that no page says so any longer than it is true."""
        self.check_refused(name, parameters, shape, dtype, is_refused_there=False)

    @over("refused", "arguments")
    def test_what_the_framework_refuses_is_refused_here(self, name, parameters, shape, dtype):
        """Whatever the framework raises, it is a ValueError here."""
        self.check_refused(name, parameters, shape, dtype)

    @over("entries", "arguments")
    def test_an_unknown_argument_is_refused_by_both(self, name):
        """Every entry knows its parameters, and no other."""
        parameters, shape = self.some_case(name)

        self.check_refused(name, {**parameters, "nonsense": 1}, shape)

    @over("entries", "arguments")
    def test_a_negative_dimension_is_refused_by_both(self, name):
        """No entry takes a shape with −1 in it."""
        parameters, shape = self.some_case(name)

        self.check_refused(name, parameters, (*shape[:-1], -1), is_refused_there=name not in self.careless)

    @over("numbers", "arguments")
    def test_a_word_where_a_number_belongs_is_refused_by_both(self, name, number):
        """Every parameter that is a number is no word, not even one that means a gain elsewhere."""
        parameters, shape = self.some_case(name)

        self.check_refused(name, {**parameters, number: "nonsense"}, shape)

    def check_refused(self, name, parameters, shape, dtype="float32", *, is_refused_there=True):
        """Let both sides refuse, or ours alone."""
        with pytest.raises(self.refusals) if is_refused_there else nullcontext():
            self.draw_theirs(name, parameters, shape, dtype=dtype)

        with pytest.raises(ValueError, match=r"."):
            self.draw_ours(name, parameters, shape, dtype=dtype)

    @over("entries", "arguments")
    def test_parameters_and_defaults_are_the_frameworks(self, name):
        """By name, in the framework's order, with the framework's defaults."""
        theirs = {p.name: p.default for p in self.signature_theirs(name) if p.name not in self.extras}

        ours: dict[str, Any] = {field.name: field.default for field in self.entries_ours()[name].parameters()}

        assert list(ours) == list(theirs)
        required = {key for key, default in ours.items() if default is MISSING}
        assert required == {key for key, default in theirs.items() if default is Parameter.empty}
        for key in ours.keys() - required:
            assert ours[key] == theirs[key], key
            assert {type(ours[key]), type(theirs[key])} <= {int, float} or type(ours[key]) is type(theirs[key]), key

    @pytest.mark.proves("the list of entries")
    def test_every_entry_is_proven(self):
        """What is registered for the framework is what the tables have laws or values for."""
        proven = {case[0] for table in self.proving for case in getattr(self, table)}

        assert proven | set(self.special) == self.entries_ours().keys()
