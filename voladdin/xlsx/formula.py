"""A spreadsheet formula, as far as a VOL… call goes: calls, ranges, literals and omitted arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token, TokenizerError

from ..cells import Cell
from ..errors import InputError

_PREFIX = re.compile(r"^(?:.*!)?(?:_xlfn\.|_xlws\.|_xll\.|_xludf\.)*", re.IGNORECASE | re.DOTALL)


class UnsupportedError(InputError):
    """A formula, or a part of one, that only a spreadsheet program can evaluate."""


@dataclass(frozen=True)
class Call:
    """A function call; `name` is upper case, without `_xlfn.` or `[1]!`."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Reference:
    """A range, another sheet's range, a defined name or a table, as written."""

    text: str


@dataclass(frozen=True)
class Literal:
    """A number, text, TRUE, an error value, or None for an omitted argument."""

    value: Cell


@dataclass(frozen=True)
class Array:
    """An array literal {1,2;3,4}."""

    rows: tuple[tuple[Cell, ...], ...]


Node = Call | Reference | Literal | Array


def parse_formula(formula: str) -> Node:
    """Tree of a formula that is one call, with ranges, literals and further calls as arguments.

    Raises UnsupportedError where it holds operators (other than a sign or a percent on a number) or cannot be
    tokenised.
    """
    try:
        tokens = [t for t in Tokenizer(formula).items if t.type != Token.WSPACE or t.value.strip()]
    except (TokenizerError, IndexError, AssertionError) as error:  # the last two for stray brackets
        raise UnsupportedError(f"formula {formula!r} cannot be read: {error}") from None
    reader = _Reader(formula, tokens)
    node = reader.node()
    if reader.position != len(tokens):
        raise reader.unsupported()
    return node


def calls(formula: str, names: set[str]) -> bool:
    """Whether a formula calls one of the functions `names`; a cheap test before the parse."""
    words = re.findall(r"[A-Za-z_][\w.]*(?=\s*\()", re.sub(r'"[^"]*"', "", formula))
    return any(_PREFIX.sub("", word).upper() in names for word in words)


class _Reader:
    """Recursive descent over openpyxl's tokens."""

    def __init__(self, formula: str, tokens: list[Token]) -> None:
        self.formula, self.tokens, self.position = formula, tokens, 0

    def unsupported(self) -> UnsupportedError:
        at = self.peek()
        what = "its end" if at is None else repr(at.value)
        return UnsupportedError(
            f"formula {self.formula!r} at {what} needs a spreadsheet program; expected one VOL… call with "
            "ranges, names, literals or further VOL… calls as arguments"
        )

    def peek(self) -> Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self, type_: str, subtype: str = "") -> Token | None:
        token = self.peek()
        if token is None or token.type != type_ or (subtype and token.subtype != subtype):
            return None
        self.position += 1
        return token

    def node(self) -> Node:
        signs = 1
        while sign := self.take(Token.OP_PRE):
            signs = -signs if sign.value == "-" else signs
        node = self.primary()
        percents = 0
        while self.take(Token.OP_POST):
            percents += 1
        if signs == 1 and not percents:
            return node
        if not isinstance(node, Literal) or not isinstance(node.value, float):
            raise self.unsupported()
        return Literal(signs * node.value / 100**percents)

    def primary(self) -> Node:
        if opened := self.take(Token.FUNC, Token.OPEN):
            return self.call(_PREFIX.sub("", opened.value.rstrip("(").strip()).upper())
        if self.take(Token.PAREN, Token.OPEN):
            node = self.node()
            if not self.take(Token.PAREN, Token.CLOSE):
                raise self.unsupported()
            return node
        if self.take(Token.ARRAY, Token.OPEN):
            return self.array()
        if operand := self.take(Token.OPERAND):
            return _operand(operand)
        raise self.unsupported()

    def call(self, name: str) -> Call:
        arguments: list[Node] = []
        if self.take(Token.FUNC, Token.CLOSE):
            return Call(name, ())
        while True:
            arguments.append(self.argument())
            if self.take(Token.FUNC, Token.CLOSE):
                return Call(name, tuple(arguments))
            if not self.take(Token.SEP, Token.ARG):
                raise self.unsupported()

    def argument(self) -> Node:
        token = self.peek()
        omitted = token is not None and (
            token.type == Token.SEP or (token.type == Token.FUNC and token.subtype == Token.CLOSE)
        )
        return Literal(None) if omitted else self.node()

    def array(self) -> Array:
        rows: list[list[Cell]] = [[]]
        while True:
            node = self.node()
            if not isinstance(node, Literal):
                raise self.unsupported()
            rows[-1].append(node.value)
            if self.take(Token.ARRAY, Token.CLOSE):
                return Array(tuple(tuple(row) for row in rows))
            if self.take(Token.SEP, Token.ROW):
                rows.append([])
            elif not self.take(Token.SEP, Token.ARG):
                raise self.unsupported()


def _operand(token: Token) -> Node:
    if token.subtype == Token.NUMBER:
        return Literal(float(token.value))
    if token.subtype == Token.TEXT:
        return Literal(token.value[1:-1].replace('""', '"'))
    if token.subtype == Token.LOGICAL:
        return Literal(token.value.upper() == "TRUE")
    if token.subtype == Token.ERROR:
        return Literal(token.value.upper())
    return Reference(token.value)
