"""Whatever the file holds, it is read or refused with a place; it never breaks the reader."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.cartas.domain import decide, read_catalogue
from tests.unit.cartas.files import CATALOGUE
from tests.unit.cartas.test_versions import NOW

LINES = CATALOGUE.splitlines(keepends=True)
SCRAPS = (
    *("0", "-1", "1e9", "99999999999", "null", "~", "''", "sí", "2026-02-30", "0x1F", ".inf"),
    *("[]", "{}", "[a, [b, {c: d}]]", "{a: {b: c}}", "&a x", "*a", "!!int 3", "- - -", "? x"),
    *("HAB", "RC", "ñandú", "a" * 3000, "max(a.b,c.d)", "'", '"', "|", "# x", "\t", "\u2028"),
)


def check(content: bytes) -> None:
    reading = read_catalogue(content)
    if reading.catalogue is not None:
        assert reading.faults == ()
        decide(reading.catalogue, (), NOW)
        return
    lines = content.count(b"\n") + content.count(b"\r") + 1
    assert reading.faults
    assert all(1 <= fault.line <= lines + 1 for fault in reading.faults)
    assert all(fault.message for fault in reading.faults)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_values_replaced_by_anything(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        key, colon, _ = lines[place].partition(":")
        lines[place] = f"{key}{colon} {data.draw(st.sampled_from(SCRAPS))}\n"
    check("".join(lines).encode())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_lines_lost_doubled_and_moved(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        one, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match data.draw(st.sampled_from(["lose", "double", "swap", "indent"])):
            case "lose":
                del lines[one]
            case "double":
                lines.insert(other, lines[one])
            case "swap":
                lines[one], lines[other] = lines[other], lines[one]
            case _:
                lines[one] = "  " + lines[one]
    check("".join(lines).encode())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_bytes_replaced_by_anything(data: st.DataObject) -> None:
    content = bytearray(CATALOGUE.encode())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    check(bytes(content))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_anything_at_all(content: bytes) -> None:
    check(content)
