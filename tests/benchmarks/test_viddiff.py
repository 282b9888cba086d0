import json
from functools import partial
from types import SimpleNamespace

import pytest

from posediff.datasets.viddiff import Difference, Video, VideoPair
from posediff.differencing.differencer import DifferencingSettings, ask
from posediff.differencing.metrics import Statement
from posediff.differencing.statements.taxonomy import load as load_taxonomy
from posediff.io import write
from posediff.motion.synthetic import Recording, Squat, generate
from tests.fixtures.benchmarks import load

#: Statements of every action of the benchmark that a body can show.
STATEMENTS = {
    "fitness_0": 7, "fitness_1": 11, "fitness_2": 10, "fitness_3": 6, "fitness_4": 5, "fitness_5": 5, "fitness_6": 7,
    "fitness_7": 11, "ballsports_0": 8, "ballsports_1": 16, "ballsports_2": 11, "ballsports_3": 6, "diving_0": 7,
}  # fmt: skip
DEEP, SHALLOW, WIDE = Squat(depth=0.44), Squat(depth=0.28), Squat(stance=0.14)
TEXTS = {"0": "wider stance", "1": "toes out", "2": "a deeper squat", "3": "a higher knee raise", "4": "faster"}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A tiny benchmark: two pairs of squats and one of surgeons, skeletons of the squats."""
    monkeypatch.setattr(load("viddiff"), "ask", partial(ask, settings=DifferencingSettings(draws=8)))
    rows = [
        row("deep", "fitness_4", "easy", {"0": "c", "2": "a", "3": None, "4": "c"}, TEXTS),
        row("wide", "fitness_4", "easy", {"0": "b", "1": None, "2": "a", "4": "b"}, TEXTS),
        row("knot", "surgery_0", "hard", {"1": "a", "2": "b"}, {"1": "faster", "2": "more tension"}),
    ]
    (tmp_path / "test.json").write_text(json.dumps(rows))
    keep(tmp_path / "poses/deep_a.json", DEEP)
    keep(tmp_path / "poses/deep_b.json", SHALLOW)
    keep(tmp_path / "poses/wide_a.json", Squat())
    keep(tmp_path / "poses/wide_b.json", WIDE, pace=1.5)
    return tmp_path


def row(key, action, split, labels, texts):
    return {
        "sample_key": key,
        "action": action,
        "split": split,
        "domain": action.split("_")[0],
        "videos": [{"path": f"videos/{key}_{side}.mp4", "frames_trim": [0, 90]} for side in "01"],
        "differences_annotated": {name: {"name": text, "description": text} for name, text in texts.items()},
        "differences_gt": labels,
        "n_differences_open_prediction": 3,
    }


def keep(path, movement, **recording):
    path.parent.mkdir(exist_ok=True)
    write(path, generate(movement, recording=Recording(fps=12.5, noise=0.002, **recording), skeleton="blazepose33"))


def run(root, *arguments):
    out = root / "out"
    options = ["--data-root", root, "--skeletons", root / "poses", "--out", out, *arguments]
    assert load("viddiff").main([str(option) for option in options]) == 0
    return [
        json.loads((out / name).read_text(), parse_constant=pytest.fail)
        for name in ("figures.json", "predictions.json")
    ]


def test_planted_differences_are_answered_and_the_rest_is_counted_as_unanswered(root, capsys):
    figures, predictions = run(root, "--split", "all")
    easy, hard = figures["splits"]["easy"], figures["splits"]["hard"]
    # labelled a or b: depth; stance, depth (which is the same in truth) and speed
    assert (easy["forced"]["questions"], easy["coverage"]) == (4, 1)
    assert easy["strict"]["correct"] == 3
    assert (hard["forced"]["correct"], hard["forced"]["questions"], hard["coverage"]) == (0, 2, 0)
    assert figures["unanswered"] == {"no taxonomy: body keypoints do not show it": 2}
    assert figures["statements"]["fitness_4/4"]["share"] == 1
    assert figures["command"].startswith("python")
    assert [sorted(one) for one in predictions] == [["0", "2", "4"], ["0", "2", "4"], ["1", "2"]]
    assert predictions[0]["2"] == {"description": "a deeper squat", "prediction": "a"}
    assert predictions[2]["1"]["prediction"] == "c"
    printed = capsys.readouterr().out
    assert "posediff, same is forced" in printed
    assert "65.3" in printed


def test_open_proposals_are_matched_by_id(root):
    figures, predictions = run(root, "--mode", "open")
    score = figures["splits"]["easy"]
    assert (score["positives"], score["correct"]) == (4, 3)
    assert {"description": "the squat is deeper", "prediction": "a"} in predictions[0].values()
    assert all(list(one) == [str(n) for n in range(len(one))] for one in predictions)


def test_other_taxonomies_are_matched_by_their_text(root):
    taxonomy = (load("viddiff").TAXONOMIES / "fitness_4.yaml").read_text().replace("id: d", "id: mine_")
    (root / "mine").mkdir()
    (root / "mine/fitness_4.yaml").write_text(taxonomy)
    figures, _ = run(root, "--mode", "open", "--taxonomies", root / "mine")
    # depth and speed are told in the same words; "the feet are further apart" is no "wider stance"
    assert figures["splits"]["easy"]["correct"] == 2


def test_pairs_without_skeletons_are_unanswered_and_not_guessed(root):
    (root / "poses/wide_b.json").unlink()
    figures, predictions = run(root)
    assert figures["unanswered"] == {"no skeletons that can be compared": 3}
    assert {one["prediction"] for one in predictions[1].values()} == {"c"}


def test_skeletons_of_whole_videos_are_cut_to_the_frames_of_the_pair(tmp_path):
    benchmark = load("viddiff")
    keep(tmp_path / "clip.json", Squat())
    videos = tuple(Video(tmp_path / "videos/clip.mp4", *ends, None) for ends in ((10, 40), (None, None)))
    pair = VideoPair("pair", "fitness_4", "easy", "fitness", "", videos, {}, 1)
    options = SimpleNamespace(annotate=False, skeletons=tmp_path)
    cut, whole = (benchmark.skeleton_of(pair, side, options, tmp_path) for side in (0, 1))
    assert (cut.frames[0], len(cut)) == (10, 30)
    assert len(whole) > 40


def test_a_split_that_is_not_there_is_an_error(root, capsys):
    (root / "test.json").write_text("[]")
    assert load("viddiff").main(["--data-root", str(root)]) == 3
    assert "no pair" in capsys.readouterr().err


@pytest.mark.parametrize("action", sorted(STATEMENTS))
def test_taxonomies_use_the_benchmark_s_own_ids(action):
    benchmark = load("viddiff")
    taxonomy = load_taxonomy(benchmark.TAXONOMIES / f"{action}.yaml")
    ids = [benchmark.benchmark_id(one.id) for one in taxonomy.differences]
    assert ids == [str(number) for number in range(STATEMENTS[action])]
    assert taxonomy.action == action


def test_every_taxonomy_is_of_an_action_that_the_benchmark_has():
    assert {path.stem for path in load("viddiff").TAXONOMIES.iterdir()} == set(STATEMENTS)


def test_what_a_language_model_says_is_held_to_the_rules():
    rows = [(0, 1, True), (0, 0, False), (1, 1, False), (1, 7, False), (2, 0, False)]
    reply = {"matches": [dict(zip(("first", "second", "opposite"), one, strict=True)) for one in rows]}
    asked = []
    model = SimpleNamespace(ask=lambda messages, schema, name: asked.append(messages) or reply)
    matcher = load("viddiff").language_matcher(model)
    truths = [Statement(str(n), text, "a") for n, text in enumerate(("deep", "wide", "fast"))]
    predictions = [Statement("", text, "b") for text in ("quick", "shallow")]
    assert matcher(truths, predictions) == [(0, 1, True), (2, 0, False)]
    assert all(word in str(asked[0]) for word in ("deep", "wide", "fast", "quick", "shallow"))
    assert matcher([], predictions) == []


def test_calibration_takes_same_for_right_where_both_are_alike():
    report = load("viddiff_report")
    labels = {"0": "a", "1": "c", "2": "b", "3": "b"}
    differences = {name: Difference(name, "", "", "", label) for name, label in labels.items()}
    pair = VideoPair("", "", "easy", "", "", (), differences, 4)
    answers = {
        name: SimpleNamespace(answer=answer, probability=0.9 - 0.1 * int(name))
        for name, answer in {"0": "a", "1": "same", "2": "same", "3": None}.items()
    }
    stated, right = report.calibration([report.Asked(pair, answers, {})])
    assert stated == pytest.approx([0.9, 0.8, 0.7])
    assert right == [True, True, False]
