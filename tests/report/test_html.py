from html.parser import HTMLParser

import pytest

from posediff.report.html import page
from posediff.report.plots import PLOTS
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton
from tests.fixtures.comparisons import DIFFERENCES, Segment, comparison, difference, squat

PICTURES = {plot.name: b"\x89PNG" for plot in PLOTS}
EVIL = '<script>alert("x")</script>'


class Page(HTMLParser):
    """The tags, attributes and visible text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.opened = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.opened.append(tag)

    def handle_endtag(self, tag):
        assert self.opened.pop() == tag

    def handle_data(self, data):
        if not self.opened or self.opened[-1] != "style":
            self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


def made(cards=3, **changes):
    return Page(page(comparison(**changes), PICTURES, [b"\x89PNG"] * cards))


def test_every_tag_is_closed():
    assert made().opened == []


def test_it_needs_nothing_from_outside_and_runs_nothing():
    tags = made().tags
    assert not [tag for tag, _ in tags if tag in ("script", "link", "iframe", "object")]
    assert all(attributes["src"].startswith("data:image/png;base64,") for tag, attributes in tags if tag == "img")
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on") or name == "href"]


def evil_skeleton():
    plain = squat().skeleton
    names = {joint: f"{EVIL}_{joint}" if joint == "left_knee" else joint for joint in plain.joints}
    bones = tuple((names[a], names[b]) for a, b in plain.bones)
    return Skeleton(EVIL, tuple(names.values()), bones)


def test_text_from_files_is_escaped_wherever_it_stands():
    evil = PoseSequence(squat().keypoints, evil_skeleton(), source={"path": EVIL, EVIL: EVIL, "steps": [EVIL]})
    text = page(
        comparison(
            reference=evil,
            query=evil,
            segments=(Segment(EVIL, (0, 40), (0, 40), 80.0, {EVIL: 80.0}, 0.0),),
            scores={EVIL: 80.0},
            differences=(difference(measure=f"{EVIL}_knee_angle", segment=EVIL, joints=(EVIL,)),) * 2,
            notes=(EVIL,),
            settings={EVIL: EVIL},
            exemplars=((EVIL, 80.0),),
        ),
        PICTURES,
        [b"\x89PNG"],
    )
    assert "<script" not in text
    assert '"x"' not in text.split("</style>")[1]
    assert text.count("&lt;script&gt;") >= 12


def test_every_picture_has_a_text_for_those_who_cannot_see_it():
    texts = [image["alt"] for image in made().all("img")]
    assert len(texts) == 3 + len(PLOTS) - 2
    assert all(len(text) > 20 for text in texts)


def test_the_language_and_the_width_of_the_screen_are_declared():
    found = made()
    assert found.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in found.all("meta")


def test_a_card_has_the_sentence_the_frames_the_size_and_the_confidence():
    text = made(differences=DIFFERENCES[:1], cards=1).text
    assert "Left knee 23° more bent from 0.72 to 1.24 s (bottom)" in text
    for fact in (
        "0.72–1.24 s, frames 18–31",
        "0.56–1.00 s, frames 14–25",
        "23.1° ± 3.2°",
        "very likely (97%)",
        "56°, reference 79°",
    ):
        assert fact in text


def test_differences_without_a_card_are_listed_in_a_table():
    found = made(cards=1)
    assert "Further differences" in found.text
    assert len(found.all("article")) == 1
    assert len(found.all("tr")) == (1 + 2) + (1 + 3)


def test_the_same_on_both_sides_is_one_card_with_the_rank_of_the_first():
    right = difference(measure="right_knee_angle", magnitude=21.0)
    found = made(differences=(DIFFERENCES[0], right, DIFFERENCES[1]), cards=2)
    assert "1Both knees 22° more bent" in found.text
    assert "left 23.1° ± 3.2°, right 21.0° ± 3.2°" in found.text
    assert "3Left ankle" in found.text


def test_the_segments_have_times_and_frames_of_both():
    text = made().text
    assert "0.64–1.32 s (16–33)" in text
    assert "0.52–1.04 s (13–26)" in text


def test_a_score_is_shaded_the_darker_the_lower_it_is():
    shades = [attributes["style"] for attributes in made().all("td") if "style" in attributes]
    assert shades[5] == "background:rgb(217 95 14 / 22%)"


def test_without_differences_it_says_so_and_shows_the_bodies():
    found = made(differences=(), cards=0)
    assert "No single difference stands out" in found.text
    assert len(found.all("img")) == len(PLOTS) - 1


@pytest.mark.parametrize(("score", "style"), [(78.4, "--score:78.4%"), (float("nan"), "--score:0%")])
def test_the_ring_shows_the_score(score, style):
    found = made(score=score)
    assert style in [attributes.get("style") for attributes in found.all("div")]


def test_the_notes_and_the_provenance_are_on_the_page():
    text = made(settings={"gamma": 0.1}).text
    assert "turning about the vertical is not corrected" in text
    assert '"gamma": 0.1' in text


def test_control_characters_from_a_file_do_not_reach_the_page():
    text = page(comparison(notes=("a\x1b[31mred\x07\x9b",)), PICTURES, [])
    assert "a\ufffd[31mred\ufffd\ufffd" in text
    assert not {character for character in text if ord(character) < 32} - {"\n", "\t"}
