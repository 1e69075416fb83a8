from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.economics.svg import Bar, PlotLine, line_plot, tornado_plot

SVG = "{http://www.w3.org/2000/svg}"
finite = st.floats(-1e12, 1e12)


def lines(names: int = 2, points: list[tuple[float, float]] | None = None, *, is_log_x: bool = False) -> str:
    drawn = [PlotLine(name=f"line {n} <&>", points=points or [(1, n), (10, 2.0 * n), (100, 7)]) for n in range(names)]
    return line_plot(drawn, title="a < b", x_label="x", y_label="y", show_x=str, show_y=str, is_log_x=is_log_x)


def test_a_plot_is_well_formed_and_says_what_it_shows() -> None:
    root = ET.fromstring(lines(5, is_log_x=True))
    assert root.attrib["role"] == "img" and root.attrib["aria-label"] == "a < b"
    assert len(root.findall(f"{SVG}polyline")) == 5
    assert any("line 4" in (text.text or "") for text in root.findall(f"{SVG}text"))


def test_a_name_with_what_xml_forbids_is_still_well_formed() -> None:
    drawn = line_plot(
        [PlotLine(name="a\x00\x1bb", points=[(1, 1)])],
        title="t\x00",
        x_label="\x0b",
        y_label="",
        show_x=str,
        show_y=str,
    )
    ET.fromstring(drawn)


def test_nothing_in_a_plot_needs_style_or_script() -> None:
    for drawn in (lines(9), tornado([bar(-1.0, 2.0)])):
        for element in ET.fromstring(drawn).iter():
            assert element.tag.removeprefix(SVG) in {"svg", "title", "line", "text", "polyline", "rect"}
            assert not [name for name in element.attrib if name == "style" or name.startswith("on") or "href" in name]


@given(st.lists(st.tuples(st.floats(0.1, 1e9), finite), min_size=1, max_size=20), st.booleans())
def test_every_point_lies_inside_the_plot(points: list[tuple[float, float]], is_log_x: bool) -> None:
    root = ET.fromstring(lines(1, sorted(points), is_log_x=is_log_x))
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    drawn = root.find(f"{SVG}polyline")
    assert drawn is not None
    for pair in drawn.attrib["points"].split():
        x, y = map(float, pair.split(","))
        assert 0 <= x <= width and 0 <= y <= height


def test_higher_is_drawn_higher() -> None:
    drawn = ET.fromstring(lines(1, [(0, 1.0), (1, 5.0)])).find(f"{SVG}polyline")
    assert drawn is not None
    low, high = (float(pair.split(",")[1]) for pair in drawn.attrib["points"].split())
    assert high < low  # SVG counts from the top


def bar(low: float | None, high: float | None) -> Bar:
    return Bar(name="n", low=low, high=high, low_label="-50 %", high_label="+20 %")


def tornado(bars: list[Bar], base: float = 0.0) -> str:
    return tornado_plot(bars, base, title="t", x_label="x", show_x=str)


def test_a_bar_reaches_from_the_base_to_each_end() -> None:
    root = ET.fromstring(tornado([bar(-10.0, 20.0)]))
    widths = [float(rect.attrib["width"]) for rect in root.findall(f"{SVG}rect")]
    assert len(widths) == 2 and widths[1] == pytest.approx(2 * widths[0], rel=0.01)


def test_an_end_without_a_value_has_no_bar() -> None:
    assert len(ET.fromstring(tornado([bar(None, 20.0), bar(None, None)])).findall(f"{SVG}rect")) == 1


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=8), finite)
def test_bars_stay_inside(ends: list[tuple[float, float]], base: float) -> None:
    root = ET.fromstring(tornado([bar(low, high) for low, high in ends], base))
    for rect in root.findall(f"{SVG}rect"):
        assert float(rect.attrib["x"]) >= 0 and float(rect.attrib["width"]) >= 0
        assert float(rect.attrib["x"]) + float(rect.attrib["width"]) <= 720


@pytest.mark.parametrize("value", [0.0, 5e-324, -5e-324, 1e12, -1e12])
def test_ends_that_nobody_can_tell_apart_are_drawn_all_the_same(value: float) -> None:
    ET.fromstring(tornado([bar(value, value)], value))
    ET.fromstring(lines(1, [(1.0, value), (2.0, value)]))


def test_nothing_is_no_plot() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        line_plot([PlotLine(name="n", points=[])], title="", x_label="", y_label="", show_x=str, show_y=str)
    with pytest.raises(ValueError, match="nothing to draw"):
        tornado([])
