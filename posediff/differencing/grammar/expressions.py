"""Measures as they are written: text to a tree by recursive descent, and back. Nothing is ever executed.

The grammar, in EBNF::

    sum     = product, {("+" | "-"), product};
    product = factor, {("*" | "/"), factor};
    factor  = "-", factor | number | name, "..", name | name | name, "(", [sum, {",", sum}], ")" | "(", sum, ")";
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from posediff.errors import BadSetting

#: Parentheses in one another, and words and signs, that a measure may have: nobody reads more.
DEEPEST, LONGEST = 40, 400

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r]+)|(?P<line>\n)|(?P<number>\d+(?:\.(?!\.)\d*)?|\.\d+)"
    r"|(?P<name>[^\W\d]\w*)|(?P<sign>\.\.|[-+*/(),])"
)


@dataclass(frozen=True, order=True)
class At:
    """A place in a text, both counted from 1."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class Number:
    """A number as it is written, never negative."""

    value: float
    at: At = field(default=At(), compare=False)


@dataclass(frozen=True)
class Name:
    """A word: a joint, a track or a key point."""

    text: str
    at: At = field(default=At(), compare=False)


@dataclass(frozen=True)
class Span:
    """From one key point to another: ``first..last``."""

    first: Name
    last: Name
    at: At = field(default=At(), compare=False)


@dataclass(frozen=True)
class Call:
    """A function of some arguments."""

    function: str
    arguments: tuple[Expression, ...]
    at: At = field(default=At(), compare=False)


@dataclass(frozen=True)
class Binary:
    """Two operands and one of ``+ - * /``."""

    operator: str
    left: Expression
    right: Expression
    at: At = field(default=At(), compare=False)


@dataclass(frozen=True)
class Negative:
    """An operand with a minus before it."""

    operand: Expression
    at: At = field(default=At(), compare=False)


#: What a measure is made of. Places do not count when two are compared.
Expression = Number | Name | Span | Call | Binary | Negative


def parse(text: str, *, origin: str = "", line: int = 1, column: int = 1) -> Expression:
    """The tree of a text.

    Args:
        text: one measure; it may have several lines.
        origin: the file that it is from, for messages.
        line, column: where it begins in that file; all its lines begin in that column, as those of a block do.

    Raises:
        BadSetting: naming the place, what was found there, and what was expected.
    """
    parser = _Parser(text, origin, At(line, column))
    tree = parser.sum(0)
    if parser.kind != "end":
        raise parser.fault("an operator or the end")
    return tree


def fault(origin: str, at: At, message: str, hint: str = "") -> BadSetting:
    """An error at a place in a text: ``squat.yaml, line 12, column 20: no joint is called 'left_kne'``."""
    return BadSetting(f"{origin}{', ' if origin else ''}line {at.line}, column {at.column}: {message}", hint)


def written(expression: Expression) -> str:
    """An expression as a text that :func:`parse` reads back, with no more parentheses than it needs."""
    if isinstance(expression, Number):
        return np.format_float_positional(expression.value, trim="-")
    if isinstance(expression, Name):
        return expression.text
    if isinstance(expression, Span):
        return f"{expression.first.text}..{expression.last.text}"
    if isinstance(expression, Call):
        return f"{expression.function}({', '.join(map(written, expression.arguments))})"
    if isinstance(expression, Negative):
        return f"-{_enclosed(expression.operand, isinstance(expression.operand, Binary))}"
    product = expression.operator in "*/"
    left = _enclosed(expression.left, product and _is_sum(expression.left))
    right = _enclosed(expression.right, isinstance(expression.right, Binary) and (product or _is_sum(expression.right)))
    return f"{left} {expression.operator} {right}"


def _is_sum(expression: Expression) -> bool:
    return isinstance(expression, Binary) and expression.operator in "+-"


def _enclosed(expression: Expression, needed: bool) -> str:
    return f"({written(expression)})" if needed else written(expression)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: At


def _tokens(text: str, origin: str, start: At) -> list[_Token]:
    tokens, line, line_start, position = [], start.line, 0, 0
    while position < len(text):
        at = At(line, start.column + position - line_start)
        match = _TOKEN.match(text, position)
        if match is None:
            raise fault(
                origin,
                at,
                f"{text[position]!r} means nothing here",
                "a measure has names, numbers, + - * / .. , and parentheses",
            )
        position = match.end()
        if match.lastgroup == "line":
            line, line_start = line + 1, position
        elif match.lastgroup != "blank":
            tokens.append(_Token(str(match.lastgroup), match.group(), at))
    if len(tokens) > LONGEST:
        raise fault(origin, tokens[LONGEST].at, f"the measure goes on after {LONGEST} words and signs", "split it")
    return [*tokens, _Token("end", "", At(line, start.column + position - line_start))]


class _Parser:
    """Reads tokens from left to right, one method for each rule of the grammar."""

    def __init__(self, text: str, origin: str, start: At) -> None:
        self.origin = origin
        self.tokens = _tokens(text, origin, start)
        self.next = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    @property
    def kind(self) -> str:
        return self.token.kind

    def fault(self, expected: str) -> BadSetting:
        found = "the end" if self.kind == "end" else repr(self.token.text)
        return fault(self.origin, self.token.at, f"found {found}, expected {expected}", "see the grammar of measures")

    def take(self) -> _Token:
        self.next += 1
        return self.tokens[self.next - 1]

    def sees(self, *signs: str) -> bool:
        return self.kind == "sign" and self.token.text in signs

    def expect(self, sign: str, expected: str) -> None:
        if not self.sees(sign):
            raise self.fault(expected)
        self.take()

    def sum(self, depth: int) -> Expression:
        tree = self.product(depth)
        while self.sees("+", "-"):
            sign = self.take()
            tree = Binary(sign.text, tree, self.product(depth), sign.at)
        return tree

    def product(self, depth: int) -> Expression:
        tree = self.factor(depth)
        while self.sees("*", "/"):
            sign = self.take()
            tree = Binary(sign.text, tree, self.factor(depth), sign.at)
        return tree

    def factor(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise fault(self.origin, self.token.at, f"more than {DEEPEST} parentheses in one another", "simplify it")
        if self.sees("-"):
            sign = self.take()
            return Negative(self.factor(depth + 1), sign.at)
        if self.sees("("):
            self.take()
            tree = self.sum(depth + 1)
            self.expect(")", "an operator or ')'")
            return tree
        if self.kind == "number":
            number = self.take()
            return Number(float(number.text), number.at)
        if self.kind != "name":
            raise self.fault("a name, a number or '('")
        name = self.take()
        if self.sees("("):
            return Call(name.text, self.arguments(depth + 1), name.at)
        if not self.sees(".."):
            return Name(name.text, name.at)
        self.take()
        if self.kind != "name":
            raise self.fault("a key point after '..'")
        last = self.take()
        return Span(Name(name.text, name.at), Name(last.text, last.at), name.at)

    def arguments(self, depth: int) -> tuple[Expression, ...]:
        self.take()
        found: list[Expression] = []
        while not self.sees(")"):
            if found:
                self.expect(",", "',' or ')'")
            found.append(self.sum(depth))
        self.take()
        return tuple(found)
