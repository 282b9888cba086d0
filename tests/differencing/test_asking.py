import pytest

from posediff.compare import Settings, compare
from posediff.differencing.asking import UNKNOWN, Help, asked, tell
from posediff.differencing.helpers.llm import LanguageModel, LanguageSettings
from posediff.differencing.helpers.recorded import Recorded
from posediff.differencing.statements.taxonomy import find
from posediff.errors import BadData, BadSetting
from posediff.motion.normalize import mirrored
from posediff.motion.synthetic import Recording, varied
from tests.fixtures.language_server import fails, says, serving


@pytest.fixture(scope="module")
def pair():
    plain, deep = (varied("squat", amounts, recording=Recording(noise=0.01), seed=seed)
                   for seed, amounts in enumerate(({}, {"depth": 1.0})))  # fmt: skip
    return plain, deep, compare(plain, deep)


def test_an_action_a_file_and_free_words_are_told_apart(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text(find("squat").path.read_text(encoding="utf-8"), encoding="utf-8")
    assert asked(["deep squat"]).taxonomy.action == "squat"
    assert asked([str(own)]).taxonomy.path == own
    alone = asked(["the left elbow bends more"])
    assert (alone.taxonomy, len(alone.questions)) == (UNKNOWN, 1)


def test_a_taxonomy_and_free_words_are_asked_together_and_nothing_twice():
    both = asked(["squat", "the left elbow bends more", "squat"])
    assert len(both.questions) == len(find("squat").differences) + 1


def test_free_words_may_name_the_key_points_of_the_action():
    (question,) = asked(["the left elbow bends more at lowest"], action="squat").questions
    assert question.where == ("lowest", "lowest")
    with pytest.raises(BadSetting):
        asked(["the left elbow bends more at lowest"])


@pytest.mark.parametrize(
    ("texts", "action", "part"),
    [(["squat", "lunge"], "", "several taxonomies"), (["squat"], "lunge", "squat is about squat, not lunge"),
     ([], "flying", "flying"), (["the moon is fuller"], "", "moon")],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(texts, action, part):
    with pytest.raises(BadSetting, match=part) as fault:
        asked(texts, action)
    assert fault.value.hint


def test_a_file_that_is_no_taxonomy_is_named(tmp_path):
    with pytest.raises((BadSetting, BadData), match=r"none\.yaml"):
        asked([str(tmp_path / "none.yaml")])


def test_only_what_is_wanted_is_told(pair):
    answers, proposals = tell(asked(["the squat is deeper"], "squat"), pair[2])
    assert [answer.answer for answer in answers.answers] == ["b"]
    assert proposals is None
    answers, proposals = tell(asked([], "squat", 2), pair[2])
    assert answers is None
    assert proposals.answers[0].id == "depth"


def helping(server, folder, pair, heard):
    model = LanguageModel(LanguageSettings(server.url, "small", retries=0), Recorded(folder))
    return Help(language=model, performances=pair[:2], warn=heard.append)


def test_statements_of_a_language_model_are_measured(pair, tmp_path):
    pytest.importorskip("openai")
    entry = {"query": "the hips come closer to the heels", "where": "lowest", "says": "less",
             "measure": "at(distance(pelvis, left_ankle), lowest)"}  # fmt: skip
    heard = []
    with serving(says({"differences": [entry]})) as server:
        _, proposals = tell(asked([], "squat", 12), pair[2], given=helping(server, tmp_path, pair, heard))
    assert "the hips come closer to the heels" in {answer.query for answer in proposals.answers}
    assert heard == []


def test_an_endpoint_that_fails_is_told_once_and_the_skeletons_still_answer(pair, tmp_path):
    pytest.importorskip("openai")
    heard = []
    with serving(fails(401)) as server:
        _, proposals = tell(asked([], "squat", 2), pair[2], given=helping(server, tmp_path, pair, heard))
    assert proposals.answers[0].id == "depth"
    assert len(heard) == 1


def test_what_only_pictures_can_tell_names_the_missing_ones(pair, tmp_path):
    pytest.importorskip("openai")
    wanted = asked(["squat"])
    with serving(fails(500)) as server:
        answers, _ = tell(wanted, pair[2], given=helping(server, tmp_path, pair, []))
    assert server.bodies == []
    silent = [answer for answer in answers.answers if not answer.measure]
    assert silent
    assert all(answer.reason.startswith("not seen: ") for answer in silent)


def test_a_mirrored_query_is_not_looked_at(pair, tmp_path):
    pytest.importorskip("openai")
    turned = compare(pair[0], mirrored(pair[1]), Settings(mirror=True))
    with serving(fails(500)) as server:
        answers, _ = tell(asked(["squat"]), turned, given=helping(server, tmp_path, pair, []))
    assert {answer.reason for answer in answers.answers if not answer.measure} == {
        "not seen: the query is mirrored, and its pictures are not"
    }


def test_a_suggestion_that_cannot_be_measured_is_kept_and_says_why(pair, tmp_path):
    pytest.importorskip("openai")
    measures = {"the gaze is further down": "", "the ball is lower": "at(height(ball), lowest)"}
    entries = [{"query": query, "where": "lowest", "says": "more", "measure": text} for query, text in measures.items()]
    with serving(says({"differences": entries})) as server:
        model = LanguageModel(LanguageSettings(server.url, "small", retries=0), Recorded(tmp_path))
        _, proposals = tell(asked([], "squat", 2), pair[2], given=Help(language=model))
    reasons = {answer.query: answer.reason for answer in proposals.answers if answer.answer is None}
    assert reasons["the gaze is further down"] == "only pictures can tell"
    assert "ball" in reasons["the ball is lower"]
    assert proposals.answers[0].answer is not None
