"""Real clips beside sampled ones, and how alike they are."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.likeness import correlations, format_likeness, likeness
from scoring.samples import Pair, Sampled, Shown, pair_figure, write_page
from tests.scoring.page import Page

RNG = np.random.default_rng(0)
MEL_HZ = np.geomspace(40, 7800, 128)


def noise(frames: int = 4000, mels: int = 16) -> np.ndarray:
    return RNG.normal(-40, 5, (frames, mels))


def test_correlations_are_of_neighbours():
    x = noise()
    assert correlations([x]) == pytest.approx((0, 0), abs=0.02)
    in_time, in_frequency = correlations([x[1:] + x[:-1]])
    assert in_time == pytest.approx(0.5, abs=0.02) and in_frequency == pytest.approx(0, abs=0.02)
    in_time, in_frequency = correlations([x[:, 1:] + x[:, :-1]])
    assert in_time == pytest.approx(0, abs=0.02) and in_frequency == pytest.approx(0.5, abs=0.02)


def test_a_clip_that_is_louder_throughout_correlates_no_more():
    assert correlations([noise() + 50, noise(700)]) == pytest.approx((0, 0), abs=0.03)


def test_bins_that_never_change_say_nothing():
    x = noise()
    x[:, 8:] = -100
    assert correlations([x])[0] == pytest.approx(0, abs=0.02)
    assert correlations([np.zeros((5, 4))]) == (0, 0)


def test_offs_are_means_over_bins_of_absolute_differences():
    x = noise()
    sign = np.where(np.arange(16) % 2, 1.0, -1.0)
    line = likeness("01", "sampled", [x + 2 * sign], 2.5, [x])
    assert line.mean_off == pytest.approx(2) and line.std_off == pytest.approx(0, abs=1e-9)
    wider = likeness("01", "sampled", [x.mean(0) + 1.5 * (x - x.mean(0))], 2.5, [x])
    assert wider.mean_off == pytest.approx(0, abs=1e-9)
    assert wider.std_off == pytest.approx(0.5 * x.std(0).mean())


def test_the_table_lines_up():
    lines = [
        likeness("01", "train", [noise()], 2.6131),
        likeness("01", "sampled", [noise()], 2.5, [noise()]),
    ]
    head, *rows = format_likeness(lines).splitlines()
    assert {len(head)} == {len(row) for row in rows}
    assert "2.613" in rows[0] and " dB" in rows[1]


def pairs(frames: int = 30) -> list[Pair]:
    def shown(name: str, level: float) -> Shown:
        return Shown(name, RNG.normal(level, 5, (frames, 128)), b"RIFF")

    return [
        Pair(id_, shown(f"a<{id_}>.npy", -40), shown(f"b_{id_}.npy", -60)) for id_ in ("01", "02")
    ]


def test_real_stands_beside_sampled_in_the_real_clips_colours():
    shown = pairs()
    made = pair_figure(shown, 0.032, MEL_HZ)
    images = [image for axes in made.axes for image in axes.images]
    boxes = [image.axes.get_position() for image in images]
    assert len(images) == 4 and len({image.get_clim() for image in images}) == 1
    assert images[0].get_clim()[0] > -60  # the sampled ones are 20 dB fainter
    assert boxes[0].y0 == boxes[1].y0 > boxes[2].y0 and boxes[0].x1 < boxes[1].x0
    assert all(box.x0 > 0 and box.y0 > 0 and box.x1 < 1 and box.y1 < 1 for box in boxes)


def test_the_page_needs_no_other_file(tmp_path):
    lines = [
        likeness(id_, kind, [noise()], 2.6, None if kind == "train" else [noise()])
        for id_ in ("01", "02")
        for kind in ("train", "sampled")
    ]
    machines = [Sampled("fan", pairs(), lines, "Begins <so>."), Sampled("pump", pairs(), lines)]
    path = write_page(tmp_path, "Heard", machines, 0.032, MEL_HZ)
    assert {file.name for file in tmp_path.iterdir()} == {"index.html", "fan.png", "pump.png"}
    page = Page(path)
    assert len(page.all("audio")) == 8 and len(page.all("button")) == 4
    assert all(attrs["src"].startswith("data:") for attrs in page.all("audio") + page.all("img"))
    assert "Begins <so>." in page.text and "a<01>.npy" in page.text
    assert "://" not in page.source
