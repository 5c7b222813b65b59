"""`generate --strict`: statistics that disagree with a law are an answer, no; the file is there all the same."""

import json

import numpy as np
import pytest
from safetensors.numpy import load, load_file

pytestmark = pytest.mark.usefixtures("own_registry")

LIAR = """\
import initcli
from initcli.laws import Uniform

class Overpromised(Uniform):
    @property
    def promise(self):
        return super().promise._replace(std=1.0)

@initcli.register("liar")
class Liar(initcli.Initializer):
    \"\"\"Draw from U[0, 1), whose std is 1/√12, and promise a std of one.\"\"\"

    def law(self, shape, fans=None):
        return Overpromised(0.0, 1.0)
"""

SPEC = """\
initcli: 1
tensors:
  honest: {shape: [20, 30], init: he_normal}
  first: {shape: [40, 50], init: liar}
  second: {shape: [300], init: liar}
"""


@pytest.fixture
def generate(folder, run):
    """Generate three tensors, of which two have a law that promises what its draws do not hold."""
    (folder / "liar.py").write_text(LIAR)
    (folder / "three.yaml").write_text(SPEC)
    return lambda *arguments: run("generate", "three.yaml", "--plugin", "liar.py", *arguments)


def test_without_strict_what_disagrees_is_off_and_no_more(folder, generate):
    """The table says OFF for the tensor and the total, the status is 0, and nothing is an error."""
    ran = generate("--out", "w.safetensors")

    assert [line.split()[-1] for line in ran.out.splitlines()] == ["agrees", "ok", "OFF", "OFF", "OFF"]
    assert ran.status == 0
    assert "error" not in ran.err


def test_strict_names_the_tensors_and_writes_the_file(folder, generate):
    """The status is 1, each tensor that is off is an error at its place, and the file is whole."""
    ran = generate("--out", "w.safetensors", "--strict")

    assert ran.status == 1
    assert ran.err.startswith("wrote w.safetensors: ")
    _, *errors = ran.err.split("error: ")
    assert [error.split()[0] for error in errors] == ["`first`", "`second`"]
    assert "--> three.yaml:4:3  tensors.first\n" in errors[0]
    assert "mean 0.5, std 1, low 0, high 1 are promised" in errors[1]
    assert np.allclose(load_file("w.safetensors")["first"].std(), 12**-0.5, atol=5 * 12**-0.5 / 2000**0.5)


def test_strict_tells_the_numbers_of_the_table(folder, generate):
    """What the error says was observed is what the table says."""
    ran = generate("--out", "w.h5", "--strict")

    mean, std, low, high = ran.out.splitlines()[2].split()[4:8]
    assert f"`first` does not agree with its law: mean {mean}, std {std}, min {low}, max {high}, where" in ran.err


def test_strict_is_content_with_what_agrees(folder, run):
    """Where all statistics hold, nothing is different."""
    ran = run("generate", "small.yaml", "--out", "small.h5", "--strict", "--quiet")

    assert ran == (0, "", "")


def test_strict_does_not_judge_where_nothing_is_promised(folder, run):
    """A function of one's own has no law to disagree with."""
    (folder / "own.py").write_text(
        "import initcli, numpy\n@initcli.register('own')\ndef own(shape, dtype):\n    return numpy.ones(shape, dtype)\n"
    )
    (folder / "own.yaml").write_text("{initcli: 1, tensors: {w: {shape: [4], init: own}}}")

    assert run("generate", "own.yaml", "--out", "w.npy", "--plugin", "own.py", "--strict").status == 0


def test_strict_and_quiet_print_the_errors_alone(generate):
    """With --quiet only what is off is told."""
    ran = generate("--out", "w.h5", "--strict", "--quiet")

    assert ran.status == 1
    assert ran.out == ""
    assert ran.err.startswith("error: `first` ")


def test_strict_leaves_json_whole(generate):
    """Standard output holds one object, standard error the errors."""
    ran = generate("--out", "w.h5", "--strict", "--json")

    assert ran.status == 1
    assert [tensor["agrees"] for tensor in json.loads(ran.out)["tensors"]] == [True, False, False]
    assert "error: `second` " in ran.err


def test_strict_with_the_file_on_stdout_still_sends_all_of_it(generate, folder, start):
    """The bytes are those of a file; JSON on standard error is not followed by anything."""
    generate("--out", "w.safetensors", "--quiet")
    arguments = ["generate", "three.yaml", "--plugin", "liar.py", "--out", "-", "--format", "safetensors", "--strict"]

    as_json = start(*arguments, "--json")
    out, err = as_json.communicate()
    as_text = start(*arguments)
    text = as_text.communicate()[1].decode()

    assert (as_json.returncode, as_text.returncode) == (1, 1)
    assert out == (folder / "w.safetensors").read_bytes()
    assert set(load(out)) == {"honest", "first", "second"}
    assert json.loads(err)["total"]["agrees"] is False
    assert "error: `first` " in text


def test_a_strict_dry_run_has_nothing_to_judge(generate):
    """Nothing is drawn, so nothing disagrees."""
    assert generate("--out", "w.h5", "--strict", "--dry-run").status == 0
