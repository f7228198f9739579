"""What the report's tests share: a reader of pages, and scores to report."""

from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from scoring.rows import ScoreRow

VOID = {"meta", "img", "source", "br", "link", "input", "wbr"}


class Page(HTMLParser):
    """Every tag with its attributes, the text, and whether all tags close."""

    def __init__(self, path: Path):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.open: list[str] = []
        self.source = path.read_text()
        self.feed(self.source)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.text += " ".join(data.split()) + " "

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.tags if name == tag]


def made_up(labels: bool = True, machines=("fan", "pump")) -> list[ScoreRow]:
    rng = np.random.default_rng(0)
    rows = []
    for machine in machines:
        for id_ in ("00", "02"):
            for split, label, n, mean in (
                ("train", 0, 40, 0),
                ("test", 0, 9, 0),
                ("test", 1, 9, 3),
            ):
                known = label if labels or split == "train" else None
                for i, score in enumerate(rng.normal(mean - 50, 1, n)):
                    name = f"{split}_{label}_id_{id_}_{i:08d}.wav"
                    rows.append(ScoreRow(machine, id_, split, name, known, float(score)))
    return rows
