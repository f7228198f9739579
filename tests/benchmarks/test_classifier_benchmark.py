import json

import flax.linen as nn
import pytest

from benchmarks import classifier

QUICK = ["--batch", "4", "--seconds", "0", "--repeats", "1"]


class Small(nn.Module):
    """A network of one layer."""

    @nn.compact
    def __call__(self, images, train):
        x = nn.relu(nn.Conv(8, (5, 5), 2)(images))
        return nn.BatchNorm(use_running_average=not train)(x).mean((1, 2))


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Networks small enough to compile in seconds."""
    monkeypatch.setitem(classifier.OURS, "mobilenet_v2", Small)
    monkeypatch.setattr(classifier, "SHAPE", (32, 32))
    name, _ = classifier.KERAS["keras_mobilenet_v2"]
    monkeypatch.setitem(classifier.KERAS, "keras_mobilenet_v2", (name, {"alpha": 0.1}))


@pytest.mark.filterwarnings("ignore")  # Keras' and TensorFlow's own
def test_both_learn_and_json_has_one_figure_a_line(capsys, monkeypatch):
    losses = {}

    def kept(build):
        def built(name, size):
            train = build(name, size)
            return lambda: losses.setdefault(name, []).append(train())

        return built

    for name in ("ours", "off_the_shelf"):
        monkeypatch.setattr(classifier, name, kept(getattr(classifier, name)))
    names = "mobilenet_v2,keras_mobilenet_v2"
    classifier.main(["--only", names, "--json", *QUICK, "--repeats", "24"])
    for trace in losses.values():
        assert len(trace) == 25
        assert trace[-1] < trace[0]
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(set(row) == {"name", "metric", "value", "unit"} for row in rows)
    figures = {(row["name"], row["metric"]): row["value"] for row in rows}
    mine, theirs = (figures[name, "train_images_per_s"] for name in names.split(","))
    assert mine > 0
    assert figures["mobilenet_v2", "ratio"] == pytest.approx(mine / theirs)


def test_the_table_has_a_line_for_each_network(capsys):
    classifier.main(["--only", "mobilenet_v2", *QUICK])
    lines = capsys.readouterr().out.splitlines()
    assert "batches of 4" in lines[0]
    assert lines[-1].split()[0] == "mobilenet_v2"
    assert lines[-1].endswith("-")


def test_an_unknown_network_is_refused(capsys):
    with pytest.raises(SystemExit):
        classifier.main(["--only", "mobilenet_v2,vgg"])
    assert "no network vgg" in capsys.readouterr().err
