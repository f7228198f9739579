"""Studies: systems side by side, none of them joined, with what each cost."""

import base64
import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring.costs import Cost
from scoring.figures import svg
from scoring.members import EnsembleError, Member
from scoring.metrics import evaluate
from scoring.rows import ScoreRow
from scoring.study import Study, format_study, study, write_study
from scoring.study_page import Page as StudyPage
from scoring.study_page import write_page
from scoring.study_plots import roc_figure, strokes
from tests.scoring.page import Page, made_up


def noisy(seed: int, noise: float, **kwargs) -> list[ScoreRow]:
    rng = np.random.default_rng(seed)
    return [replace(row, score=row.score + rng.normal(0, noise)) for row in made_up(**kwargs)]


SYSTEMS = {"sharp": noisy(0, 0.1), "dull": noisy(1, 4), "theirs": noisy(2, 2)}
COSTS = {
    "sharp": [Cost("fan", 1000, 30.0, 2.0, 0.5), Cost("pump", 3000, 60.0, 4.0, 1.5)],
    "dull": [Cost("fan", 12_345, None, 1.0, 0.5), Cost("pump", 12_345, 5.0, 1.0, 1.5)],
}


def compared(systems=SYSTEMS, costs=COSTS, left_out=()) -> Study:
    return study([Member(name, [rows]) for name, rows in systems.items()], costs, left_out)


def page_of(path: Path, **parts) -> Page:
    page = StudyPage("A study", compared(**parts), '{"seed": 0}', {"Wall time": "4 s"})
    return Page(write_page(path / "report.html", page))


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def section(page: Page, name: str) -> str:
    found = re.search(rf'<h2 id="{name}">.*?(?=<h2 )', page.source, re.DOTALL)
    assert found
    return found[0].replace("<wbr>", "")


def rows_of(source: str) -> list[list[str]]:
    """The cells of a table's rows, the head first; bold is kept."""
    return [
        [
            re.sub(r"<(?!/?strong)[^>]*>", "", cell).strip()
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr.*?</tr>", source, re.DOTALL)
    ]


def test_scores_stay_as_they_are_and_are_judged_as_they_are():
    for name, rows in compared().systems.items():
        test = {row.name: row.score for row in SYSTEMS[name] if row.split == "test"}
        assert {row.name: row.score for row in rows} == test
        assert evaluate(rows) == evaluate(SYSTEMS[name])


def test_train_clips_are_not_needed():
    bare = [row for row in SYSTEMS["theirs"] if row.split == "test"]
    both = compared({**SYSTEMS, "theirs": bare})
    assert both.results == compared().results


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([Member("a", [made_up()]), Member("a", [made_up()])], "'a': rename one"),
        ([Member("a", [made_up()]), Member("b", [made_up()[:-1]])], "member 'b' has no score for"),
        ([Member("a", [[]])], "member 'a' has no scores"),
    ],
)
def test_what_cannot_be_compared_is_one_line(members: list[Member], says: str):
    with pytest.raises(EnsembleError, match=says) as caught:
        study(members, {})
    assert "\n" not in str(caught.value)


def test_the_table_has_a_line_for_each_system_and_machine_with_its_costs(tmp_path: Path):
    lines = table(write_study(tmp_path / "study.csv", compared()))
    assert [(line["system"], line["machine"]) for line in lines] == [
        (name, machine) for name in SYSTEMS for machine in ("fan", "pump", "average")
    ]
    by_name = {(line["system"], line["machine"]): line for line in lines}
    fan = [result.auc for result in evaluate(SYSTEMS["sharp"]) if result.machine == "fan"]
    assert float(by_name["sharp", "fan"]["auc"]) == np.mean(np.array(fan, float))
    assert by_name["sharp", "pump"]["fit_seconds"] == "60.0"
    mean = by_name["sharp", "average"]
    assert (mean["parameters"], mean["fit_seconds"]) == ("2000", "45.0")
    assert float(mean["score_seconds_per_hour"]) == 6 / 2
    assert by_name["dull", "fan"]["fit_seconds"] == by_name["dull", "average"]["fit_seconds"] == ""
    assert by_name["dull", "pump"]["fit_seconds"] == "5.0"
    theirs = [by_name["theirs", machine] for machine in ("fan", "pump", "average")]
    assert {line[key] for line in theirs for key in Cost.CELLS} == {""}
    assert all(line["auc"] for line in theirs)


def test_the_terminal_shows_quality_and_costs_in_columns():
    lines = format_study(compared()).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].startswith("sharp") and lines[1].endswith("2,000  45 s            3.0 s")
    assert lines[3].split() == ["theirs", *lines[3].split()[1:3], *["\N{EN DASH}"] * 3]


def test_every_machine_has_a_table_of_all_systems_by_id(tmp_path: Path):
    source = section(page_of(tmp_path), "machines")
    assert re.findall(r"<h3.*?>(.*?)</h3>", source) == ["fan", "pump"]
    for machine, part in zip(("fan", "pump"), source.split("<h3")[1:], strict=True):
        head, *rows = rows_of(part)
        assert head == ["system", "id 00", "id 02", "average"]
        assert [row[0] for row in rows] == list(SYSTEMS)
        for name, *cells in rows:
            aucs = [r.auc for r in evaluate(SYSTEMS[name]) if r.machine == machine]
            shown = [float(re.sub(r"</?strong>", "", cell).split()[0]) for cell in cells]
            known = [100 * auc for auc in aucs if auc is not None]
            assert shown == pytest.approx([*known, np.mean(known)], abs=0.051)


def test_the_best_of_a_column_is_bold(tmp_path: Path):
    _, sharp, dull, _ = rows_of(section(page_of(tmp_path), "results"))
    assert all(cell.startswith("<strong>") for cell in sharp[1:])
    assert "<strong>" not in "".join(dull)


def test_machines_are_summed_up_where_there_are_several(tmp_path: Path):
    head, *rows = rows_of(section(page_of(tmp_path / "two"), "results"))
    assert head == ["system", "fan", "pump", "average"] and len(rows) == 3
    one = {name: noisy(i, i, machines=("fan",)) for i, name in enumerate("ab")}
    page = page_of(tmp_path / "one", systems=one, costs={})
    assert [attrs["id"] for attrs in page.all("h2")] == ["machines", "run"]


def test_every_machine_and_id_has_a_panel_with_all_systems(tmp_path: Path):
    page = page_of(tmp_path)
    images = page.all("img")
    units = [(machine, id_) for machine in ("fan", "pump") for id_ in ("00", "02")]
    assert len(images) == len(units)
    for image, (machine, id_) in zip(images, units, strict=True):
        assert image["alt"].startswith(f"ROC curves of {machine} id {id_}; AUC in percent: sharp ")
        drawing = (tmp_path / "figures" / f"roc_{machine}_id_{id_}.svg").read_bytes()
        assert base64.b64decode(image["src"].split(",")[1]) == drawing
        for stroke in strokes(list(SYSTEMS)).values():
            assert stroke.colour in drawing.decode()


def test_a_system_has_one_stroke_in_tables_and_panels(tmp_path: Path):
    page = page_of(tmp_path)
    drawn = {}
    for source in re.findall(r'<th scope="row">.*?</th>', page.source, re.DOTALL):
        style = re.findall(r'style="(.*?)"', source)[0]
        name = re.sub(r"<[^>]*>", "", source).strip()
        drawn.setdefault(name, set()).add(style)
    assert list(drawn) == list(SYSTEMS)
    assert all(len(styles) == 1 for styles in drawn.values())
    assert len({style for styles in drawn.values() for style in styles}) == len(SYSTEMS)


def test_eighteen_systems_can_be_told_apart_by_day_and_by_night():
    every = strokes([str(i) for i in range(18)]).values()
    assert len({(stroke.colour, stroke.style) for stroke in every}) == 18
    assert len({(stroke.dark, stroke.style) for stroke in every}) == 18
    assert [stroke.style for stroke in every][:6] == ["solid"] * 6


def test_a_panel_draws_every_curve_and_the_strip_of_the_pauc():
    curve = np.array([0, 0.5, 1.0]), np.array([0, 0.9, 1.0])
    drawn = strokes(["a", "b"])
    (axes,) = roc_figure({"a": curve, "b": curve}, drawn).axes
    by_colour = {line.get_color(): line for line in axes.lines}
    for stroke in drawn.values():
        np.testing.assert_array_equal(by_colour[stroke.colour].get_xydata(), np.stack(curve, 1))
    (strip,) = axes.patches
    np.testing.assert_allclose([strip.get_x(), strip.get_width()], [0, 0.1])


def test_the_first_system_lies_on_top():
    curve = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    drawn = strokes(["first", "second"])
    drawing = svg(roc_figure({"first": curve, "second": curve}, drawn))
    assert drawing.rindex(drawn["second"].colour) < drawing.rindex(drawn["first"].colour)


def test_costs_are_in_words_and_unknown_ones_a_dash(tmp_path: Path):
    head, *rows = rows_of(section(page_of(tmp_path), "costs"))
    assert head[1:] == ["parameters", "fit time", "fit time of all models", *head[4:]]
    assert rows == [
        ["sharp", "2,000", "45 s", "1 min 30 s", "3.0 s"],
        ["dull", "12,345", "\N{EN DASH}", "\N{EN DASH}", "1.0 s"],
        ["theirs", "&ndash;", *["\N{EN DASH}"] * 3],
    ]


def test_without_costs_nothing_is_said_of_them(tmp_path: Path):
    page = page_of(tmp_path, costs={"sharp": []})
    assert "costs" not in [attrs["id"] for attrs in page.all("h2")]
    assert "#costs" not in [attrs.get("href") for attrs in page.all("a")]


def test_the_page_says_who_hears_best_and_that_nothing_is_combined(tmp_path: Path):
    page = page_of(tmp_path)
    assert "3 systems heard the same 72 test clips of 4 machines (2 machine types)" in page.text
    assert "sharp hears best" in page.text
    assert "nsemble" not in page.text
    assert not {p.name for p in tmp_path.iterdir()} & {"scores.csv", "results.csv"}


def test_what_was_left_out_is_listed_with_its_reason(tmp_path: Path):
    page = page_of(tmp_path, left_out=[("openl3", "no weights in <cache>: fetch them")])
    assert "Left out: openl3" in page.text
    (_, row) = rows_of(section(page, "left-out"))
    assert row == ["openl3", "no weights in &lt;cache&gt;: fetch them"]
    assert "#left-out" in [attrs["href"] for attrs in page.all("a")]
    assert "eft out" not in page_of(tmp_path).text


def test_without_labels_there_is_no_verdict(tmp_path: Path):
    blind = {name: noisy(i, 1, labels=False) for i, name in enumerate("ab")}
    page = page_of(tmp_path, systems=blind, costs={"a": COSTS["sharp"]})
    assert "no telling which hears best" in page.text
    assert [attrs["id"] for attrs in page.all("h2")] == ["costs", "run"]
    assert page.all("img") == []


def test_an_id_without_labels_is_a_dash_and_has_no_panel(tmp_path: Path):
    def blind(rows):
        return [
            replace(r, label=None) if r.unit == ("fan", "02") and r.split == "test" else r
            for r in rows
        ]

    page = page_of(tmp_path, systems={name: blind(rows) for name, rows in SYSTEMS.items()})
    assert len(page.all("img")) == 3
    _, first, *_ = rows_of(section(page, "machines"))
    assert first[2] == "\N{EN DASH} (\N{EN DASH})"


def test_a_large_study_stays_one_page_that_needs_no_network(tmp_path: Path):
    machines = ("ToyCar", "ToyConveyor", "fan", "pump", "slider", "valve")
    systems = {f"system_{i}": noisy(i, i, machines=machines) for i in range(10)}
    page = page_of(tmp_path, systems=systems, costs={})
    assert len(page.all("img")) == 6 * 2
    assert len(rows_of(section(page, "machines"))) == 6 * 11
    assert not re.search(r"https?:|//[a-z]+\.", page.source)
    assert len(page.source) < 1_500_000


def test_hostile_names_are_text(tmp_path: Path):
    evil = "<script>alert(1)</script>$_^{"
    page = page_of(tmp_path, systems={evil: SYSTEMS["sharp"], "b": SYSTEMS["dull"]})
    assert page.all("script") == []
    assert "<script>alert(1)</script>$_^{ hears best" in page.text
