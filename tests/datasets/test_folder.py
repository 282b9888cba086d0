import os

import pytest

from posediff.datasets.folder import FolderSettings, load
from posediff.errors import BadData, BadSetting

TABLE = """file,score,action,difficulty,stages,split
a.json,88.0,407c,3.2,12;57,train
b.json,61.5,407c,3.2,9;52,train
sub/c.json,70,205b,3.0,,test
"""


@pytest.fixture
def folder(tmp_path):
    """A folder of skeleton files without content: they are not read here."""
    (tmp_path / "sub").mkdir()
    for name in ("a.json", "b.json", "sub/c.json"):
        (tmp_path / name).touch()
    return tmp_path


def loaded(folder, text, **options):
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "scores.csv").write_bytes(content)
    return load(FolderSettings(str(folder / "scores.csv"), **options))


def fault(folder, text, **options):
    """The one line that is said about a table."""
    with pytest.raises(BadData) as caught:
        loaded(folder, text, **options)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{folder / 'scores.csv'}: ")
    return str(caught.value)


def test_a_table_becomes_clips(folder):
    dives = loaded(folder, TABLE)
    assert dives.name == "scores"
    assert [clip.key for clip in dives.train] == ["a.json", "b.json"]
    clip = dives.train[0]
    assert (clip.score, clip.action, clip.difficulty, clip.transitions) == (88.0, "407c", 3.2, (12, 57))
    assert (clip.poses, clip.person, clip.frames) == (str(folder / "a.json"), None, None)
    assert [(clip.key, clip.transitions) for clip in dives.test] == [("sub/c.json", None)]
    assert dives.stages == ("stage 1", "stage 2", "stage 3")


@pytest.mark.parametrize(
    "written",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace(";", "|").replace(",", ";").encode(),
        lambda text: text.replace(";", "|").replace(",", ";").replace(".0", ",0").replace(".5", ",5").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace(",", " , ").encode(),
        lambda text: text.replace("12;57", '"12, 57"').replace("9;52", "9 52").encode(),
        lambda text: ("\n\n" + text.replace("\n", "\n,,,,,\n")).encode(),
        lambda text: text.replace("file,score", "File,SCORE").replace("train", "Train").encode(),
        lambda text: text.replace("sub/", "sub\\").replace("a.json", "./a.json").encode(),
        lambda text: text.rstrip("\n").encode(),
    ],
    ids=[
        "byte order mark",
        "Windows line ends",
        "old Mac line ends",
        "semicolons",
        "decimal commas",
        "tabs",
        "spaces",
        "quoted stages",
        "blank lines",
        "upper case",
        "other paths",
        "no last line end",
    ],
)
def test_however_a_table_is_written_it_says_the_same(written, folder):
    assert loaded(folder, written(TABLE)) == loaded(folder, TABLE)


def test_only_files_and_scores_are_needed(folder):
    dives = loaded(folder, "score,file\n3,a.json\n4,b.json\n5,sub/c.json\n", test=0.34)
    assert (len(dives.train), len(dives.test), dives.stages) == (2, 1, ())
    clip = dives.train[0]
    assert (clip.action, clip.difficulty, clip.transitions) == ("", None, None)


def test_the_fraction_for_testing_is_the_same_every_time(tmp_path):
    names = [f"{number}.json" for number in range(40)]
    for name in names:
        (tmp_path / name).touch()
    text = "file,score,action\n" + "".join(f"{name},{n},{'ab'[n % 2]}\n" for n, name in enumerate(names))
    first, again, other = (loaded(tmp_path, text, test=0.2, seed=seed) for seed in (0, 0, 1))
    assert first == again != other
    assert [sum(clip.action == action for clip in first.test) for action in "ab"] == [4, 4]
    assert sorted(clip.key for clip in (*first.train, *first.test)) == sorted(names)
    assert loaded(tmp_path, text, test=0).test == ()


def test_the_column_for_the_split_goes_before_the_fraction(folder):
    assert loaded(folder, TABLE, test=0.5) == loaded(folder, TABLE, test=0)


def test_files_may_lie_elsewhere(folder):
    (folder / "scores").mkdir()
    dives = loaded(folder / "scores", TABLE, poses=str(folder))
    assert dives.train[0].poses == str(folder / "a.json")
    text = TABLE.replace("a.json", str(folder / "a.json"))
    assert loaded(folder / "scores", text, poses=str(folder)).train[0].poses == str(folder / "a.json")


def test_one_file_may_hold_several_clips(folder):
    text = "file,score,person\na.json,1,1\na.json,2,2\na.json#0:30,3,\na.json#30:60,4,\n"
    clips = [*loaded(folder, text, test=0).train]
    assert [clip.key for clip in clips] == ["a.json:1", "a.json:2", "a.json#0:30", "a.json#30:60"]
    assert [clip.person for clip in clips] == [1, 2, None, None]
    assert clips[2].poses == str(folder / "a.json#0:30")


def test_stages_have_the_names_that_are_given(folder):
    assert loaded(folder, TABLE, stages=("run", "jump", "land")).stages == ("run", "jump", "land")
    assert loaded(folder, "file,score\na.json,1\n", test=0, stages=("run", "jump")).stages == ("run", "jump")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("file,score\n", "has no rows"),
        ("\n\n", "has no rows"),
        ("file,action\na.json,407c\n", "lacks the column score"),
        ("action\n407c\n", "lacks the column file and score"),
        ("file,scroe\na.json,1\n", "unknown column 'scroe'; did you mean score?"),
        ("file,score,weather\na.json,1,fair\n", "unknown column 'weather'; there are: file, score"),
        ("a.json,88.0\nb.json,61.5\n", "unknown column 'a.json'; there are"),
        ("file,score,score\na.json,1,2\n", "the column 'score' is there twice"),
        ("file,score\na.json,1,2\n", "line 2 has 3 cells, expected 2 by the header"),
        ("file,score\n\nb.json\n", "line 3 has 1 cells, expected 2"),
        ("file,score\na.json,high\n", "line 2: score is 'high', expected a number"),
        ("file,score\na.json,\n", "line 2: score is '', expected a number"),
        ("file,score\na.json,nan\n", "line 2: clip 'a.json': its score is nan"),
        ("file,score\n,3\n", "line 2: file is empty"),
        ("file,score,difficulty\na.json,3,x\n", "line 2: difficulty is 'x', expected a number"),
        ("file,score,difficulty\na.json,3,-1\n", "line 2: clip 'a.json': its difficulty is -1.0, expected above 0"),
        ("file,score,stages\na.json,3,12;x\n", "line 2: stages is 'x', expected a whole number"),
        ("file,score,stages\na.json,3,57;12\n", "its stages begin at [57, 12], expected in order"),
        ("file,score,person\na.json,3,left\n", "line 2: person is 'left', expected a whole number"),
        ("file,score,split\na.json,3,maybe\n", "line 2: split is 'maybe', expected train or test"),
        ("file,score,split\na.json,3,\n", "line 2: split is '', expected train or test"),
        ("file,score,split\na.json,3,test\n", "no clip is for training"),
        ("file,score\na.json,1\nb.json,2\n./a.json,3\n", "line 4: a.json has a row already, in line 2"),
        ("file,score\na.json,1\nx.json,2\ny.json,2\n", "2 of 3 files do not exist: "),
        ("file,score,stages\na.json,1,12;57\nb.json,2,12\n", "line 3: has 2 stages, expected 3 as in line 2"),
        ('file,score\n"a\nb",x\n', "line 3: score is 'x'"),
        ("file,score\na\0b.json,1\n", "is not UTF-8 text"),
        ("file,score\na.json,1\n", "there is only one clip, which cannot be divided"),
        ("file,score,action\na.json,1,x\nb.json,2,y\n", "none of 2 clips can be kept apart"),
        (
            "file,score,difficulty\na.json,1,\nb.json,2,3\nsub/c.json,3,\n",
            "2 of 3 rows have no difficulty, the others ",
        ),
        ("file,score,difficulty\na.json,1,\nb.json,2,3\nsub/c.json,3,\n", "have one: line 2, 4"),
        ("file,score\na.json,1\nsub/../a.json,2\n", "line 3: sub/../a.json has a row already, in line 2"),
        (
            "file,score,split\na.json,1,train\nsub/../a.json,2,test\n",
            "line 3: sub/../a.json has a row already, in line 2",
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_line(text, said, folder):
    assert said in fault(folder, text)


def test_all_that_is_wrong_is_told_at_once(folder):
    text = "file,score\na.json,x\nb.json,y\nb.json,2\nmissing.json,3\n"
    said = fault(folder, text)
    assert "line 2: score is 'x'" in said
    assert "line 3: score is 'y'" in said
    assert "1 of 2 files do not exist: " in said
    many = "file,score\n" + "a.json,x\n" * 9
    assert fault(folder, many).endswith("line 4: score is 'x', expected a number and 6 more")


def test_stages_have_as_many_names_as_they_are(folder):
    assert "line 2: has 3 stages, expected 2 as in the settings" in fault(folder, TABLE, stages=("run", "jump"))


def test_a_table_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BadData, match="no such file"):
        load(FolderSettings(str(tmp_path / "scores.csv")))
    with pytest.raises(BadData, match="cannot be read"):
        load(FolderSettings(str(tmp_path)))


@pytest.mark.parametrize("test", [-0.1, 1.0, float("nan")])
def test_a_fraction_that_is_none_is_refused(test):
    with pytest.raises(BadSetting, match=f"test is {test}"):
        FolderSettings("scores.csv", test=test)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_table_in_another_encoding_says_how_to_save_it(encoding, folder):
    text = TABLE.replace("407c", "Höhe")
    with pytest.raises(BadData, match=r"is not UTF-8 text$") as caught:
        loaded(folder, text.encode(encoding))
    assert caught.value.hint == "save it as UTF-8 (in Excel: CSV UTF-8)"


def divided(folder, train, test):
    """One row for training and one for testing, each a file and a person."""
    return loaded(folder, f"file,score,split,person\n{train[0]},1,train,{train[1]}\n{test[0]},2,test,{test[1]}\n")


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (("a.json", ""), ("sub/../a.json#0:30", "")),
        (("a.json#0:30", ""), ("a.json", "")),
        (("a.json#0:30", ""), ("a.json#29:60", "")),
        (("a.json#:30", 1), ("link.json#20:", 1)),
        (("a.json", 1), ("sub/../a.json#0:5", 1)),
        (("a.json", 1), ("a.json", "")),
    ],
)
def test_the_same_frames_of_a_person_are_not_both_for_training_and_for_testing(train, test, folder):
    os.symlink(folder / "a.json", folder / "link.json")
    with pytest.raises(
        BadData, match=r"the same frames are for testing and for training: line 3 .* and line 2$"
    ) as caught:
        divided(folder, train, test)
    assert "one split" in caught.value.hint


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (("a.json#0:30", ""), ("sub/../a.json#30:60", "")),
        (("a.json", 1), ("a.json", 2)),
        (("a.json", ""), ("b.json", "")),
    ],
)
def test_other_frames_and_other_people_may_be_divided(train, test, folder):
    dives = divided(folder, train, test)
    assert (len(dives.train), len(dives.test)) == (1, 1)


def test_clips_may_overlap_within_training(folder):
    text = "file,score\na.json,1\na.json#0:30,2\nsub/../a.json#10:40,3\n"
    assert len(loaded(folder, text, test=0).train) == 3
    assert "the same frames are for testing and for training" in fault(folder, text, test=0.4)


def test_an_empty_cell_for_the_stages_says_nothing_like_no_column(folder):
    text = "file,score,stages\na.json,1,\nb.json,2,\n"
    assert loaded(folder, text, test=0) == loaded(folder, "file,score\na.json,1\nb.json,2\n", test=0)


def test_who_cannot_be_divided_may_say_it_in_the_table(folder):
    with pytest.raises(BadData) as caught:
        loaded(folder, "file,score\na.json,1\n")
    assert caught.value.hint == "give more clips, or say in a column split which clips are for testing"


# Performers


def people(folder, rows):
    """A table of clips of performers, without the column split."""
    for number in range(len(rows)):
        (folder / f"{number}.json").touch()
    return "file,score,performer\n" + "".join(f"{number}.json,{number},{name}\n" for number, name in enumerate(rows))


def test_performers_are_tested_on_that_are_not_learnt_from(folder):
    clips = loaded(folder, people(folder, ["ana", "bo", "cy", "di", "ana", "bo", "cy", "di"]), test=0.5)
    learnt, tested = ({clip.performer for clip in part} for part in (clips.train, clips.test))
    assert (len(learnt), len(tested)) == (2, 2)
    assert learnt | tested == {"ana", "bo", "cy", "di"}


def test_a_single_performer_is_in_both_parts(folder):
    clips = loaded(folder, people(folder, ["ana"] * 4), test=0.5)
    assert [{clip.performer for clip in part} for part in (clips.train, clips.test)] == [{"ana"}, {"ana"}]


def test_a_performer_is_in_every_row_or_in_none(folder):
    said = fault(folder, people(folder, ["ana", "", "cy"]))
    assert said.endswith("1 of 3 rows have no performer, the others have one: line 3")
    assert {clip.performer for clip in loaded(folder, people(folder, ["", "", ""])).train} == {""}
