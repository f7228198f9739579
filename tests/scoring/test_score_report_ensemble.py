"""The report's ensemble section and its pictures."""

import base64
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from scoring.ensemble import ensemble
from scoring.figures import png
from scoring.members import Member
from scoring.report import Picture, Report, write_report
from scoring.rows import ScoreRow
from tests.scoring.page import Page, made_up


def noisy(seed: int, noise: float = 1.0, labels: bool = True) -> list[ScoreRow]:
    rng = np.random.default_rng(seed)
    return [replace(row, score=row.score + rng.normal(0, noise)) for row in made_up(labels)]


def page_of(path: Path, members: dict[str, list[ScoreRow]], **parts) -> Page:
    joined = ensemble([Member(name, [rows]) for name, rows in members.items()])
    report = Report("A hall", joined.combined["mean"], ensemble=joined, **parts)
    return Page(write_report(path / "report.html", report))


def section(page: Page) -> str:
    """The source of the ensemble's part."""
    found = re.search(r'<h2 id="ensemble">.*?(?=<h2 )', page.source, re.DOTALL)
    assert found
    return found[0]


MEMBERS = {"gmade": noisy(0, 0.1), "mobile": noisy(1, 2), "resnet": noisy(2, 4)}


def test_members_and_ensembles_stand_side_by_side(tmp_path: Path):
    page = page_of(tmp_path, MEMBERS)
    headings = [attrs["id"] for attrs in page.all("h2")]
    assert headings == ["results", "ensemble", "scores", "roc", "run"]
    assert "#ensemble" in [attrs["href"] for attrs in page.all("a")]
    table = section(page).split("</table>")[0]
    heads = re.sub(r"<wbr>", "", table)
    for name in (*MEMBERS, "ensemble_mean", "ensemble_max"):
        assert f">{name}</th>" in heads
    assert len(re.findall(r"<tr[ >]", table)) == 1 + 2 * 3 + 1  # heads, two machines, average
    assert "the best member alone, gmade" in page.text


def test_the_best_of_a_line_is_bold_and_it_is_right(tmp_path: Path):
    sure = [replace(row, score=float(row.label or 0) + 1e-3 * i) for i, row in enumerate(noisy(0))]
    table = section(page_of(tmp_path, {"sure": sure, "noise": noisy(5, 30)})).split("</table>")[0]
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]
    for row in rows:
        first, second, *_ = re.findall(r"<td>(.*?)</td>", row, re.DOTALL)[-4:]
        assert first.startswith("<strong>100.0</strong>")
        assert "<strong>" not in second


def test_both_figures_are_there_for_every_machine(tmp_path: Path):
    page = page_of(tmp_path, MEMBERS)
    written = {p.name for p in (tmp_path / "figures").iterdir()}
    kinds = ("correlation", "members", "roc", "scores")
    assert written == {f"{kind}_{m}.svg" for kind in kinds for m in ("fan", "pump")}
    embedded = {base64.b64decode(img["src"].split(",")[1]) for img in page.all("img")}
    assert embedded == {p.read_bytes() for p in (tmp_path / "figures").iterdir()}
    assert all(img["alt"] for img in page.all("img"))
    drawing = (tmp_path / "figures" / "correlation_fan.svg").read_text()
    assert all(name in drawing for name in MEMBERS)
    assert "gmade and mobile 0." in page.source


def test_the_planted_quarrel_is_shown_with_its_label(tmp_path: Path):
    rows = noisy(0, 0)
    odd = next(row for row in rows if row.label == 1 and row.machine == "pump")
    deaf = [replace(row, score=-900.0) if row is odd else row for row in rows]
    page = page_of(tmp_path, {"hears": rows, "deaf": deaf})
    quarrels = section(page).split("Where the members part")[1].replace("<wbr>", "")
    assert quarrels.count('scope="rowgroup"') == 1  # on fan they are of one mind
    first = re.findall(r"<tr>.*?</tr>", quarrels, re.DOTALL)[1]
    assert odd.name in first
    assert "anomaly</span>" in first
    places = [int(place) for place in re.findall(r'class="place"[^>]*>(\d+)<', first)]
    assert places[1] == 0
    assert places[0] >= 50


def test_without_labels_it_compares_orders_alone(tmp_path: Path):
    members = {name: noisy(seed, 1, labels=False) for seed, name in enumerate("ab")}
    page = page_of(tmp_path, members)
    assert "AUC" not in page.text
    assert "How alike the members hear" in page.text
    assert "Where the members part" in page.text


def test_an_ensemble_of_one_has_nobody_to_differ_from(tmp_path: Path):
    page = page_of(tmp_path, {"gmade": MEMBERS["gmade"]})
    assert "<strong>" not in section(page)
    assert "How alike" not in page.text
    assert "part</h3>" not in page.source
    assert not list((tmp_path / "figures").glob("members_*"))


def test_members_with_one_order_have_no_quarrels(tmp_path: Path):
    page = page_of(tmp_path, {"a": MEMBERS["gmade"], "b": MEMBERS["gmade"]})
    assert "How alike" in page.text
    assert "Where the members part" not in page.text


def test_hostile_member_names_are_text(tmp_path: Path):
    evil = "<script>alert(1)</script>$_^{"
    page = page_of(tmp_path, {evil: MEMBERS["gmade"], "b": MEMBERS["mobile"]})
    assert "<script>alert" not in page.source
    assert len(page.all("script")) == 1


def test_the_page_needs_no_network_and_stays_small(tmp_path: Path):
    page = page_of(tmp_path, MEMBERS)
    assert not re.search(r"https?:|//[a-z]+\.", page.source)
    assert len(page.source) < 1_000_000


def test_without_an_ensemble_nothing_of_it_is_shown(tmp_path: Path):
    page = Page(write_report(tmp_path / "report.html", Report("T", MEMBERS["gmade"])))
    assert [attrs["id"] for attrs in page.all("h2")] == ["results", "scores", "roc", "run"]
    assert "nsemble" not in page.text


@pytest.mark.parametrize("kind", ["figure", "bytes"])
def test_pictures_are_shown_as_they_are(tmp_path: Path, kind: str):
    figure = Figure(figsize=(2, 1))
    image = figure if kind == "figure" else png(figure, 50)
    pictures = [Picture("Warp <b>", "Bent & stretched.", image)]
    report = Report("T", MEMBERS["gmade"], pictures=pictures, pictures_title="Augmentations")
    page = Page(write_report(tmp_path / "report.html", report))
    assert [attrs["id"] for attrs in page.all("h2")][-2:] == ["pictures", "run"]
    assert "Augmentations Warp <b> Bent & stretched." in " ".join(page.text.split())
    (img,) = [img for img in page.all("img") if img["alt"].startswith("Warp")]
    (beside,) = (tmp_path / "figures").glob("picture_01*.png")
    data = base64.b64decode(img["src"].removeprefix("data:image/png;base64,"))
    assert data == beside.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert kind == "figure" or data == image
