"""Plots are well-formed SVG with presentation attributes only, whatever names are in them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from yuzui.evaluation.plots import Point, cost_plot, interval_plot

POINTS = [
    Point(name='own <a> & "b"', premises="own", value=0.5, low=0.4, high=0.6, x=0.0),
    Point(name="v" * 80, premises="vendor", value=1.0, x=0.02),
    Point(name="auto", premises="mixed", value=0.0, low=0.0, high=0.1, x=0.001),
]


def checked(svg: str) -> ET.Element:
    root = ET.fromstring(svg)
    for element in root.iter():
        assert not {"style", "onload", "href"} & set(element.attrib)
        for name in ("x", "y", "cx", "cy", "x1", "x2"):
            assert -1 <= float(element.get(name, "0")) <= 721
    return root


def test_intervals() -> None:
    root = checked(interval_plot(POINTS, title="Mean <exact>", x_label="score"))
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert 'own <a> & "b"' in texts and "v" * 29 + "…" in texts
    assert len([e for e in root.iter() if e.tag.endswith("circle")]) == 2


def test_costs() -> None:
    checked(cost_plot(POINTS, title="t", x_label="USD", y_label="score"))
    checked(cost_plot(POINTS[:1], title="t", x_label="USD", y_label="score"))  # all free


def test_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        interval_plot([], title="t", x_label="x")
    with pytest.raises(ValueError, match="nothing to draw"):
        cost_plot([Point(name="a", premises="own", value=1)], title="t", x_label="x", y_label="y")
