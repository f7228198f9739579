"""Grids of small spectrograms."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.figures import png
from scoring.panels import Panel, panel_figure

MEL_HZ = np.geomspace(40, 7800, 128)
RNG = np.random.default_rng(0)


def figure(count: int):
    panels = [
        Panel(f"Title ${i}", f"note {i}", RNG.normal(-40 + i, 8, (64, 128))) for i in range(count)
    ]
    return panel_figure(panels, 0.032, MEL_HZ)


def drawn(made):
    return [image for axes in made.axes for image in axes.images]


@pytest.mark.parametrize(("count", "columns"), [(2, 2), (4, 4), (5, 3), (7, 4), (9, 3)])
def test_rows_are_even_and_panels_apart(count: int, columns: int):
    made = figure(count)
    boxes = [image.axes.get_position() for image in drawn(made)]
    assert len(boxes) == count and len({round(box.x0, 3) for box in boxes}) == columns
    for i, one in enumerate(boxes):
        assert one.x0 > 0 and one.y0 > 0 and one.x1 < 1 and one.y1 < 1
        assert not any(one.overlaps(other) for other in boxes[:i])


def test_panels_compare_by_eye():
    images = drawn(figure(3))
    assert len({image.get_clim() for image in images}) == 1
    assert len({(image.axes.get_xlim(), image.axes.get_ylim()) for image in images}) == 1


def test_axes_are_in_seconds_and_hertz_and_titles_as_they_stand():
    made = figure(3)
    first, second = (image.axes for image in drawn(made)[:2])
    assert first.get_ylabel() == "Hz"
    assert {"500", "2k"} <= {label.get_text() for label in first.get_yticklabels()}
    assert first.get_xlim() == pytest.approx((-0.016, 2.032))
    made.canvas.draw()
    assert all(label.get_text().endswith(" s") for label in second.get_xticklabels())
    assert {text.get_text() for text in second.texts} == {r"Title \$1", "note 1"}
    assert png(made, 50).startswith(b"\x89PNG")
