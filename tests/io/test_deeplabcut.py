from pathlib import Path

from posediff.io import read, read_person


def test_deeplabcut_predictions_of_one_and_of_several_animals(tmp_path: Path) -> None:
    one = "scorer,D,D,D\nbodyparts,nose,nose,nose\ncoords,x,y,likelihood\n0,1,2,0.5\n5,,,\n"
    (tmp_path / "one.csv").write_text(one)
    person = read_person(tmp_path / "one.csv")
    assert (person.frames.tolist(), person.present.tolist(), person.scores[0, 0]) == ([0, 5], [[True], [False]], 0.5)
    two = "scorer,D,D,D,D\nindividuals,a1,a1,a2,a2\nbodyparts,nose,nose,nose,nose\ncoords,x,y,x,y\n3,1,2,3,4\n"
    (tmp_path / "two.csv").write_text(two)
    assert {p.person: p.keypoints[0, 0].tolist() for p in read(tmp_path / "two.csv")} == {1: [1, 2], 2: [3, 4]}


def test_deeplabcut_labels_are_indexed_by_images(tmp_path: Path) -> None:
    rows = "scorer,,,D,D\nbodyparts,,,nose,nose\ncoords,,,x,y\nlabeled-data,v,img007.png,1,2\n"
    (tmp_path / "labels.csv").write_text(rows)
    assert read_person(tmp_path / "labels.csv").frames.tolist() == [7]
