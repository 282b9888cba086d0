import contextlib
import operator

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from posediff.differencing.grammar.expressions import (
    DEEPEST,
    LONGEST,
    At,
    Binary,
    Call,
    Name,
    Negative,
    Number,
    Span,
    fault,
    parse,
    written,
)
from posediff.errors import BadSetting

WORDS = st.from_regex(r"[a-z][a-z_]{0,9}", fullmatch=True)
NUMBERS = st.floats(0, 1e6, allow_nan=False).map(Number)
LEAVES = NUMBERS | WORDS.map(Name) | st.builds(Span, WORDS.map(Name), WORDS.map(Name))


def larger(smaller):
    return (
        st.builds(Binary, st.sampled_from("+-*/"), smaller, smaller)
        | st.builds(Negative, smaller)
        | st.builds(Call, WORDS, st.lists(smaller, max_size=3).map(tuple))
    )


EXPRESSIONS = st.recursive(LEAVES, larger, max_leaves=12)


@given(EXPRESSIONS)
def test_what_is_written_reads_as_the_same(expression):
    assert parse(written(expression)) == expression


@given(EXPRESSIONS, st.sampled_from([" ", "  ", "\n", " \t"]))
def test_blanks_and_line_breaks_mean_nothing(expression, blank):
    spaced = written(expression)
    for sign in "+*/,()":
        spaced = spaced.replace(sign, f"{blank}{sign}{blank}")
    assert parse(spaced) == expression


SUMS = st.recursive(
    st.integers(1, 99).map(str),
    lambda part: (
        st.tuples(part, st.sampled_from("+-*/"), part).map(" ".join)
        | part.map(lambda text: f"({text})")
        | part.map(lambda text: f"-{text}")
    ),
    max_leaves=10,
)


def worth(tree):
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Negative):
        return -worth(tree.operand)
    one, other = worth(tree.left), worth(tree.right)
    return {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[tree.operator](one, other)


@given(SUMS)
def test_arithmetic_is_read_and_written_as_in_python(text):
    try:
        expected = eval(text)
    except ZeroDivisionError:
        reject()
    tree = parse(text)
    assert worth(tree) == expected
    assert eval(written(tree)) == expected


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 - 2 - 3", Binary("-", Binary("-", Number(1), Number(2)), Number(3))),
        ("1 + 2 * 3", Binary("+", Number(1), Binary("*", Number(2), Number(3)))),
        ("-a * b", Binary("*", Negative(Name("a")), Name("b"))),
        ("min(t, a..b)", Call("min", (Name("t"), Span(Name("a"), Name("b"))))),
        ("f()", Call("f", ())),
        ("0.5", Number(0.5)),
        (".5", Number(0.5)),
        ("((a))", Name("a")),
    ],
)
def test_texts_have_their_trees(text, tree):
    assert parse(text) == tree


def test_every_part_knows_where_it_stands():
    tree = parse("max(\n  left_knee_angle,\n a..b)", line=12, column=14)
    assert tree.at == At(12, 14)
    assert tree.arguments[0].at == At(13, 16)
    assert tree.arguments[1].last.at == At(14, 18)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("max(a", "line 12, column 25", "found the end, expected ',' or ')'"),
        ("max(a b)", "line 12, column 26", "found 'b', expected ',' or ')'"),
        ("max(a,)", "line 12, column 26", "found ')', expected a name, a number or '('"),
        ("a + ", "line 12, column 24", "found the end, expected a name, a number or '('"),
        ("", "line 12, column 20", "found the end, expected a name, a number or '('"),
        ("a b", "line 12, column 22", "found 'b', expected an operator or the end"),
        ("(a", "line 12, column 22", "found the end, expected an operator or ')'"),
        ("a..3", "line 12, column 23", "found '3', expected a key point after '..'"),
        ("a +\n  $b", "line 13, column 22", "'$' means nothing here"),
        ("a = b", "line 12, column 22", "'=' means nothing here"),
        ("__import__('os')", "line 12, column 31", '"\'" means nothing here'),
        ("a.b", "line 12, column 21", "'.' means nothing here"),
    ],
)
def test_a_mistake_is_told_with_its_place(text, place, message):
    with pytest.raises(BadSetting) as raised:
        parse(text, origin="squat.yaml", line=12, column=20)
    assert str(raised.value) == f"squat.yaml, {place}: {message}"
    assert raised.value.hint


def test_a_mistake_in_no_file_is_told_by_line_and_column():
    assert str(fault("", At(2, 7), "no")) == "line 2, column 7: no"


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(BadSetting):
        assert parse(written(parse(text))) == parse(text)


@pytest.mark.parametrize("text", ["(" * 5000, "-" * 5000 + "a", "f(" * (DEEPEST + 2), "a" + " + a" * LONGEST])
def test_what_nobody_can_read_is_refused(text):
    with pytest.raises(BadSetting, match=r"parentheses in one another|words and signs"):
        parse(text)


def test_the_deepest_and_the_longest_are_read():
    assert parse("(" * DEEPEST + "a" + ")" * DEEPEST) == Name("a")
    assert written(parse("a" + " + a" * (LONGEST // 2 - 1))).count("a") == LONGEST // 2
