"""Questions in free words, turned into measures by a small grammar, or refused: nothing is guessed.

    question = [place] part, properties and degrees in any order [place]
             | part "closer to" part [place]
             | key point ["is" | "comes"] ("later" | "earlier")
    part     = ["left" | "right" | role] word of :data:`~posediff.differencing.statements.lexicon.PARTS`
    place    = ("at" | "in" | "before" | "after" ...) key point | "from" key point "to" key point

Every word has to be known, exactly one compares ("more", "higher"), and one part of the body is named. The properties
and the part together choose a row of :data:`~posediff.differencing.statements.lexicon.MEANINGS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from posediff.differencing.grammar.measures import Names, measure
from posediff.differencing.grammar.places import FIRST, LAST, Place
from posediff.differencing.grammar.vocabulary import SIDES
from posediff.differencing.statements import lexicon
from posediff.differencing.statements.taxonomy import Question, Taxonomy
from posediff.errors import BadSetting, listed

#: Most characters of a question.
LONGEST = 200

#: Which of the two performances is meant: the answer tells.
_PERFORMER = r"(?:video |performer )?[ab]"
_HEAD = re.compile(rf"^{_PERFORMER} ")
_TAIL = re.compile(rf"\b(?:(?:in|for|of) {_PERFORMER}|than (?:{_PERFORMER}|the other(?: one)?))$")
_UNTIL = {"from": "to", "between": "and"}
#: What leads to a key point with such a cue.
_TURNS = {"lowest": "descent", "highest": "ascent"}
_ARTICLES = frozenset(("a", "an", "the"))


class _Refused(Exception):
    """Why a sentence is not understood."""


def question(text: str, taxonomy: Taxonomy | None = None) -> Question:
    """The question that a sentence asks, such as "the left elbow bends more at the top".

    A statement of the taxonomy, or its id, is taken as it stands there; case, articles and punctuation do not count.

    Args:
        text: the sentence.
        taxonomy: the action's, whose key points and roles the sentence may name; without one there is only the start
            and the end.

    Raises:
        BadSetting: if the sentence is not understood, with the nearest that would be.
    """
    differences = taxonomy.differences if taxonomy else ()
    plain = _plain(text)
    for one in differences:
        if plain and plain in (_plain(one.query), _plain(one.id)):
            return one
    try:
        if len(text) > LONGEST:
            raise _Refused(f"it has more than {LONGEST} characters")
        expression, sign, where = _Sentence(plain, taxonomy).meaning()
        points = tuple(point.name for point in taxonomy.key_points) if taxonomy else ()
        roles = tuple(side.role for side in taxonomy.sides) if taxonomy else ()
        return Question("", text.strip(), where, measure(expression, Names(points, roles)), sign)
    except _Refused as refusal:
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        known = [*(one.query for one in differences), *lexicon.EXAMPLES]
        spelled = {_plain(one): one for one in reversed(known)}
        close = get_close_matches(plain, spelled, n=2, cutoff=0.5) or [*map(_plain, known[:3])]
        nearest = "; ".join(spelled[one].rstrip(".") for one in close)
        raise BadSetting(f"{shown!r} is not understood: {refusal}", f"ask such as: {nearest}") from None


class _Sentence:
    """One sentence, taken apart from left to right: phrases, the place, the parts, what is said of them."""

    def __init__(self, plain: str, taxonomy: Taxonomy | None) -> None:
        names = (taxonomy.action, taxonomy.title, *taxonomy.aliases) if taxonomy else ()
        actions = {_plain(name.replace("_", " ")) for name in names}
        for name in actions:
            plain = re.sub(rf"\b{re.escape(name)}\b", "movement", plain) if " " in name else plain
        self.words = plain.split()
        self.unclear = ""
        self.movement = lexicon.MOVEMENT | actions
        self.key_points = taxonomy.key_points if taxonomy else ()
        self.called = [
            (point.name, _as_in_names(point.name.split("_")), _as_in_names(_plain(point.text).split()))
            for point in self.key_points
        ]
        self.roles = frozenset(side.role for side in taxonomy.sides) if taxonomy else frozenset()

    def meaning(self) -> tuple[str, int, Place]:
        """The measure's text, its sign, and the place."""
        if not self.words:
            raise _Refused("it has no words")
        for word in self.words:
            if word in lexicon.NEGATIONS:
                raise _Refused(f"{word!r} turns it round; say the opposite, such as less or lower")
        if any(word in lexicon.TIMES for word in self.words):
            return self._time()
        first: _Refused | None = None
        for place, words in self._readings(self.words):
            try:
                return self._said(place, words)
            except _Refused as refusal:
                first = first or refusal
        raise first or _Refused("it says nothing")

    def _said(self, place: Place | None, words: list[str]) -> tuple[str, int, Place]:
        """The meaning of what is said besides the place."""
        if joining := lexicon.JOINING.intersection(words):
            raise _Refused(f"{min(joining)!r} joins two questions; ask them one by one")
        for word, (statistic, sign) in lexicon.DISTANCES.items():
            if word in words:
                return self._distance(words, words.index(word), statistic, sign, place)
        parts, rest = self._parts(words)
        says, sign = self._says(rest)
        mean = "throughout" in says
        says -= {"throughout"}
        if len(parts) > 1:
            raise _Refused(f"it names {listed([part for part, _ in parts])}; ask them one by one")
        part, side = parts[0] if parts else ("movement", "")
        for row in lexicon.MEANINGS:
            spare = {"move", "jump"} if part == "movement" else {"move"}
            if part in row.tracks and {*row.says.split()} <= says <= {*row.says.split()} | spare:
                tracks = row.tracks[part]
                if side and "{side}" not in tracks:
                    raise _Refused(f"{' '.join(sorted(says))} is not measured of one {part} alone")
                statistic = "mean" if mean and row.statistic in ("min", "max") else row.statistic
                terms = [_measured(statistic, term.format(side=side), place) for term in tracks.split(" + ")]
                expression = terms[0] if len(terms) == 1 else f"({' + '.join(terms)}) / {len(terms)}"
                return expression, sign * row.sign, place or (FIRST, LAST)
        what = "the whole movement" if part == "movement" else f"the {part}"
        raise _Refused(f"nothing is known to measure for {' '.join(sorted(says)) or 'more'!r} of {what}")

    def _time(self) -> tuple[str, int, Place]:
        signs = [lexicon.TIMES[word] for word in self.words if word in lexicon.TIMES]
        rest = [word for word in self.words if word not in lexicon.TIMES and word not in lexicon.ARRIVALS]
        place = self._place(rest)
        if len(signs) != 1 or place is None or place[0] != place[1]:
            raise _Refused(f"only a key point is earlier or later; {self.unclear or self._points()}")
        return f"time({place[0]})", signs[0], place

    def _distance(
        self, words: Sequence[str], at: int, statistic: str, sign: int, place: Place | None
    ) -> tuple[str, int, Place]:
        ends = []
        for side_of in (words[:at], words[at + 1 :]):
            parts, rest = self._parts(side_of)
            says = [word for word in rest if lexicon.PROPERTIES.get(word) != "move"]
            if len(parts) != 1 or parts[0][0] not in lexicon.DISTANT or says:
                raise _Refused("it takes one part of the body that is closer to, or further from, one other")
            ends.append(lexicon.DISTANT[parts[0][0]].format(side=parts[0][1]))
        if ends[0] == ends[1]:
            raise _Refused("both parts are the same")
        return _measured(statistic, f"distance({ends[0]}, {ends[1]})", place), sign, place or (FIRST, LAST)

    def _parts(self, words: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
        """The parts of the body that are named, each with the start of its joints' names, and the other words."""
        words = [word for word in words if word not in lexicon.FILLERS]
        parts: list[tuple[str, str]] = []
        rest: list[str] = []
        side = ""
        others = any(word in lexicon.PARTS and word != "back" for word in words)
        for number, word in enumerate(words):
            following = words[number + 1] if number + 1 < len(words) else ""
            moves = bool(rest) and (rest[-1] in lexicon.DEGREES or lexicon.PROPERTIES.get(rest[-1]) in ("lean", "move"))
            if (word in SIDES or word in self.roles) and following in lexicon.PARTS:
                side = f"{word}_"
            elif word in SIDES or (word == "back" and (others or moves)):
                rest.append("backward" if word == "back" else f"{word}ward")
            elif word in lexicon.PARTS:
                parts.append((lexicon.PARTS[word], side))
                side = ""
            else:
                rest.append(word)
        return parts, [word for word in rest if word not in self.movement or word in lexicon.PROPERTIES]

    def _says(self, words: Sequence[str]) -> tuple[set[str], int]:
        """The properties that are said, and whether more or less of them."""
        says: set[str] = set()
        signs = []
        for word in words:
            if word in lexicon.DEGREES:
                signs.append(lexicon.DEGREES[word])
            elif word in lexicon.COMPARATIVES:
                says.add(lexicon.COMPARATIVES[word])
                signs.append(1)
            elif word in lexicon.PROPERTIES:
                says.add(lexicon.PROPERTIES[word])
            elif word == "throughout":
                says.add(word)
            elif word in lexicon.LASTING:
                raise _Refused(f"{word!r} leads to no span, such as from one key point to another; {self._points()}")
            elif word in {*lexicon.PREPOSITIONS, *_UNTIL, "to"}:
                raise _Refused(f"{word!r} leads to no key point; {self.unclear or self._points()}")
            else:
                raise _Refused(f"{word!r} is not a known word")
        if len(signs) != 1:
            raise _Refused("it compares nothing" if not signs else "it compares twice")
        return says, signs[0]

    def _readings(self, words: list[str]) -> Iterator[tuple[Place | None, list[str]]]:
        """Every place that the sentence may name, the longest first, with the words that are left; at last none."""
        for number, word in enumerate(words):
            before, after = words[:number], words[number + 1 :]
            if word in ("from", "between"):
                for middle in range(1, len(after)):
                    start = self._place(after[:middle]) if after[middle] == _UNTIL[word] else None
                    for end in range(len(after), middle + 1, -1) if start else ():
                        stop = self._place(after[middle + 1 : end])
                        if start and stop:
                            yield self._span(start[0], stop[-1]), [*before, *after[end:]]
            elif word in lexicon.PREPOSITIONS:
                for end in range(len(after), 0, -1):
                    place = self._place(after[:end], named=word in lexicon.NAMED)
                    if place and (place[0] != place[1] or word not in lexicon.LASTING):
                        span = {"before": (FIRST, place[0]), "after": (place[1], LAST)}.get(word)
                        yield self._span(*span) if span else place, [*before, *after[end:]]
            elif word in lexicon.PHASES or ".." in word:
                yield self._place([word]), [*before, *after]
        yield None, words

    def _place(self, words: Sequence[str], named: bool = False) -> Place | None:
        """The key point, span or phase that words name, and nothing besides.

        Args:
            words: some of the sentence's.
            named: whether words of a key point's text are not enough: "in the swing" is not where the swing begins.
        """
        if len(words) == 1 and ".." in words[0]:
            return self._span(*words[0].split("..", 1))
        content = {word for word in words if word not in lexicon.FILLERS}
        content = content - lexicon.PLACE_FILLERS or content
        exact = {"_".join(words), "_".join(content)} & {point.name for point in self.key_points}
        if exact:
            return min(exact), min(exact)
        if content & lexicon.PHASES:
            return self._phase(min(content)) if len(content) == 1 else None
        if len(content) == 1 and (end := lexicon.ENDS.get(min(content))):
            return end, end
        if not content - lexicon.PARTS.keys() - {*SIDES}:
            return None
        content = _as_in_names(content)
        found = [name for name, own, text in self.called if content <= own | text and (own <= content or not named)]
        if len(found) > 1:
            self.unclear = f"{' '.join(words)!r} could be {' or '.join(found)}"
        return (found[0], found[0]) if len(found) == 1 else None

    def _phase(self, word: str) -> Place:
        """From the first key point to the lowest position, or on from the highest one, is the descent."""
        names = [point.name for point in self.key_points]
        turns = [point for point in self.key_points if point.cue.kind in _TURNS and "height" in point.cue.text]
        if turns and word == _TURNS[turns[0].cue.kind]:
            return self._span(FIRST if turns[0].name == names[0] else names[0], turns[0].name)
        if turns:
            return self._span(turns[0].name, LAST if turns[0].name == names[-1] else names[-1])
        raise _Refused(f"where the {word} begins and ends is not known; {self._points()}")

    def _span(self, first: str, last: str) -> Place:
        order = [FIRST, *(point.name for point in self.key_points), LAST]
        if not {first, last} <= {*order} or order.index(first) >= order.index(last):
            raise _Refused(f"{first}..{last} goes from no key point to a later one; {self._points()}")
        return first, last

    def _points(self) -> str:
        names = ", ".join(point.name for point in self.key_points)
        return f"the key points are {names}" if names else "there are no key points without an action"


def _measured(statistic: str, track: str, place: Place | None) -> str:
    """A statistic of a track at a place, as a measure is written."""
    first, last = place or (FIRST, LAST)
    if statistic == "duration":
        if first == last:
            raise _Refused("a moment lasts no time; name a span")
        return f"duration({first}..{last})"
    if place is None:
        return f"{statistic}({track})"
    if first != last:
        return f"{statistic}({track}, {first}..{last})"
    if statistic not in ("min", "max", "mean"):
        raise _Refused("it takes a span of time, not a moment")
    return f"at({track}, {first})"


def _as_in_names(words: Iterable[str]) -> set[str]:
    return {lexicon.PLACE_WORDS.get(word, word) for word in words}


def _plain(text: str) -> str:
    """A sentence whose spelling does not count: lower case, without punctuation, articles and the performer."""
    text = re.sub(r"'s\b", "", text.casefold().replace("’", "'")).replace("'", "")
    text = " ".join(re.sub(r"[^\w.]+|(?<!\.)\.(?!\.)|\.{3,}", " ", text).split())
    for phrase, word in lexicon.PHRASES.items():
        text = re.sub(rf"\b{phrase}\b", word, text)
    return " ".join(word for word in _TAIL.sub("", _HEAD.sub("", text)).split() if word not in _ARTICLES)
