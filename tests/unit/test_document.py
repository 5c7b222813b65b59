"""Bytes become a tree, or faults that tell what, where and the way out."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import pytest

from initcli.document import MAX_BYTES, parse_document, read_document
from initcli.document.tree import Node
from initcli.errors import Fault, InitcliError, Position


def parse(text: str | bytes, source: str) -> tuple[Node | None, list[Fault]]:
    faults: list[Fault] = []
    node = parse_document(text.encode() if isinstance(text, str) else text, source, faults)
    return node, faults


def places(faults: list[Fault]) -> list[tuple[int, int]]:
    return [(fault.position.line, fault.position.column) for fault in faults if fault.position]


def test_a_file_is_read_under_the_name_that_the_user_gave(tmp_path: Path) -> None:
    """The bytes come back unchanged and the name shown is the path as given."""
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"seed: 1\r\n")

    text, name = read_document(str(path), BytesIO())

    assert (text, name) == (b"seed: 1\r\n", str(path))


def test_a_dash_reads_standard_input() -> None:
    """`-` takes the stream and is shown as `<stdin>`."""
    assert read_document("-", BytesIO(b"seed: 1")) == (b"seed: 1", "<stdin>")


def test_a_missing_file_is_answered_with_its_nearest_neighbour(tmp_path: Path) -> None:
    """A typing error in a file name gets the name that was meant."""
    (tmp_path / "resnet.yaml").touch()

    with pytest.raises(InitcliError) as caught:
        read_document(str(tmp_path / "resnt.yaml"), BytesIO())

    [fault] = caught.value.faults
    assert fault == Fault(f"no file `{tmp_path / 'resnt.yaml'}`", hint="did you mean `resnet.yaml`?")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Where the folder is missing too, the hint says so."""
    with pytest.raises(InitcliError) as caught:
        read_document(str(tmp_path / "nowhere" / "spec.yaml"), BytesIO())

    assert caught.value.faults[0].hint == f"there is no folder `{tmp_path / 'nowhere'}`"


@pytest.mark.parametrize(
    ("source", "what"),
    [("", "the name of the spec is empty"), (".", "`.` is a directory"), ("a\0b", "`a\\x00b` cannot be read")],
)
def test_a_name_that_is_no_file_is_one_fault(source: str, what: str) -> None:
    """An empty name, a directory and a name with a zero byte are each told apart."""
    with pytest.raises(InitcliError) as caught:
        read_document(source, BytesIO())

    [fault] = caught.value.faults
    assert fault.what.startswith(what)


def test_a_name_too_long_for_the_system_is_one_fault() -> None:
    """What the operating system refuses is repeated in its own words."""
    with pytest.raises(InitcliError) as caught:
        read_document("x" * 5000, BytesIO())

    [fault] = caught.value.faults
    assert fault.what.endswith("name too long")
    assert len(fault.what) < 300


def test_a_file_without_read_permission_is_one_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lack of rights is called by its name."""
    path = tmp_path / "spec.yaml"
    path.touch()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(InitcliError, match="permission denied"):
        read_document(str(path), BytesIO())


def test_a_document_at_the_limit_is_read_and_one_byte_more_is_refused() -> None:
    """The limit is 64 MiB, itself allowed."""
    text, _ = read_document("-", BytesIO(b" " * MAX_BYTES))

    assert len(text) == MAX_BYTES
    with pytest.raises(InitcliError, match="`<stdin>` is larger than 64 MiB"):
        read_document("-", BytesIO(b" " * (MAX_BYTES + 1)))


@pytest.mark.skipif(sys.platform == "win32" or not Path("/dev/zero").exists(), reason="needs a device")
def test_an_endless_device_is_refused_and_not_read_to_its_end() -> None:
    """At most one byte beyond the limit is taken."""
    with pytest.raises(InitcliError, match="larger than 64 MiB"):
        read_document("/dev/zero", BytesIO())


@pytest.mark.parametrize("source", ["spec.yaml", "spec.json", "<stdin>"])
@pytest.mark.parametrize("text", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_document_is_one_fault_with_a_hint(text: bytes, source: str) -> None:
    """Nothing, white space or a lone byte order mark: the hint says how a spec begins."""
    node, [fault] = parse(text, source)

    assert node is None
    assert fault.what == "the document is empty"
    assert "initcli: 1" in fault.hint


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_recognized_with_and_without_its_mark(encoding: str) -> None:
    """What some shells write gets the hint to save as UTF-8."""
    _, [fault] = parse("initcli: 1\n".encode(encoding), "spec.yaml")

    assert (fault.what, fault.hint) == ("UTF-16 text", "save the file as UTF-8")


def test_a_utf_8_mark_is_skipped() -> None:
    """A byte order mark moves no column."""
    node, faults = parse(b"\xef\xbb\xbfa: 1", "spec.yaml")

    assert faults == []
    assert node is not None
    assert node.position == Position("spec.yaml", 1, 1)


def test_text_that_is_not_utf_8_is_refused_at_its_byte() -> None:
    """The byte, its offset in the file and its line and column are told."""
    _, [fault] = parse("a: 1\nb: é\n".encode("latin-1"), "spec.yaml")

    assert str(fault) == "spec.yaml:2:4: not UTF-8 text: byte 0xe9 at offset 8"


def test_a_weight_file_given_as_a_spec_is_called_binary() -> None:
    """A zero byte ends the reading, whatever stands before it."""
    _, [fault] = parse(b"\x89HDF\r\n\x1a\n\0\0", "model.h5")

    assert fault.what == "binary data: the byte at offset 8 is zero"


@pytest.mark.parametrize("source", ["spec.yaml", "spec.json"])
def test_a_control_character_is_one_fault(source: str) -> None:
    """An escape character cannot reach the terminal by way of a message."""
    _, [fault] = parse('{"a":\n "\x1b[31m"}', source)

    assert (fault.what, places([fault])) == ("the control character U+001B", [(2, 3)])


@pytest.mark.parametrize(
    ("source", "text", "is_json"),
    [
        ("spec.json", "a: 1", True),
        ("SPEC.JSON", "a: 1", True),
        ("spec.yaml", '{"a": 1, b: 2}', False),
        ("spec.yml", '{"a": 1, b: 2}', False),
        ("<stdin>", ' \n{ "a": 1, b: 2}', True),
        ("<stdin>", "{ } # end", True),
        ("<stdin>", "{a: 1}", False),
        ("spec", "a: 1", False),
    ],
)
def test_json_is_known_by_suffix_or_by_its_first_characters(source: str, text: str, is_json: bool) -> None:
    """A suffix decides; where it says nothing, `{"` and `{}` mean JSON."""
    _, faults = parse(text, source)

    assert bool(faults) == is_json  # each text is broken as JSON and whole as YAML


def test_earlier_faults_of_the_caller_are_kept() -> None:
    """The list given is added to, never replaced."""
    earlier = Fault("earlier")
    faults = [earlier]

    parse_document(b"a: !x 1", "spec.yaml", faults)

    assert faults[0] is earlier
    assert len(faults) == 2
