"""What the server reads: strict JSON, then the shape of each request."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from voladdin.errors import InputError
from voladdin.journal import Caller
from voladdin.surface import Surface

T = TypeVar("T")
Cell = float | str | bool | None
Items = Annotated[list[T], Field(fail_fast=True)]
Vols = Items[Items[float | None]]
Argument = Annotated[
    Annotated[Cell, Tag("cell")] | Annotated[Items[Items[Cell]], Tag("rows")],
    Discriminator(lambda value: "rows" if isinstance(value, list) else "cell"),
]
Axis = Items[float]
Profile = Annotated[
    Annotated[Axis, Tag("one")] | Annotated[Items[Axis], Tag("each")],
    Discriminator(
        lambda value: "each" if isinstance(value, list) and value and isinstance(value[0], list) else "one"
    ),
]
Body = TypeVar("Body", bound="Request")


class BadJson(InputError):
    """The body is not strict JSON."""


class Request(BaseModel):
    """Exactly the named fields, of exactly the named types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CallerBody(Request):
    """The book, the formula's cell and the references that its arguments are; "" is not known."""

    book: str = ""
    cell: str = ""
    arguments: Items[str] = []

    def caller(self) -> Caller:
        """As the journal has it."""
        return Caller(self.book, self.cell, tuple(self.arguments))


class FunctionCall(Request):
    """Arguments of a worksheet function: each one a cell, or rows of cells; and where it is called from."""

    arguments: Items[Argument]
    caller: CallerBody = CallerBody()


class NamedCall(Request):
    """A worksheet function and its arguments."""

    name: str
    arguments: Items[Argument]


class CallsBody(Request):
    """Many calls, to be answered together."""

    calls: Items[NamedCall]


class CommandBody(Request):
    """A document of Calc's and the cells sent of it, as `voladdin.hosts.documents.document` reads them."""

    book: dict[str, Any]
    blocks: Items[dict[str, Any]]


class Source(Request):
    """Where a page's cells are; host: "libreoffice", "excel" or "" (a file)."""

    book: str
    range: str
    host: str = ""


class PageBody(Request):
    """A surface page to open: its cells, and yesterday's."""

    title: str
    source: Source
    cells: Items[Items[Cell]]
    prior: Items[Items[Cell]] | None = None
    units: str | None = None


class SliderBody(Request):
    """Where the sliders stand. kind: "move" this surface, or "generate" one.

    values: the four numbers, or changes of them; null is left open. years: the tenor of the market's words.
    """

    kind: Literal["move", "generate"]
    words: Literal["paper", "market"] = "paper"
    values: Items[float | None] = Field(min_length=4, max_length=4)
    scenario: Annotated[float, Field(ge=0, lt=2**31, multiple_of=1)] = 0.0
    years: float | None = None
    decay: str = "parallel"
    wings: str = "sticky delta"


class SendBody(Request):
    """Which surface goes to the sheet."""

    what: str


class SurfaceBody(Request):
    """A surface: `vols` [T, K] decimals with null where missing; one strike axis, as `voladdin.Surface`."""

    vols: Vols
    tenors: Items[float | str]
    deltas: Axis | None = None
    moneyness: Profile | None = None
    strikes: Profile | None = None
    forwards: Axis | None = None

    def surface(self) -> Surface:
        """The Surface; InputError or LabelError as its constructor raises."""
        vols = [[math.nan if vol is None else vol for vol in row] for row in self.vols]
        return Surface(
            vols,
            self.tenors,
            deltas=self.deltas,
            moneyness=self.moneyness,
            strikes=self.strikes,
            forwards=self.forwards,
        )


class ImputeBody(SurfaceBody):
    """A surface to fill, as the arguments of `voladdin.impute`."""

    prior: SurfaceBody | None = None
    prior_age: float = 1.0
    model: str = Field("fx", pattern=r"^[\w-]{1,64}$")
    coverage: float = 0.90
    arbitrage_free: bool = True


_BRANCHES = {"cell", "rows", "one", "each", "float", "str", "bool"}
_EXPECTED = {
    "model_type": "an object with named fields",
    "list_type": "a list",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "string_pattern_mismatch": "the name of a model",
}


def parse(data: bytes, body: type[Body]) -> Body:
    """Read `data` as `body`; BadJson for what strict JSON does not have, InputError for a wrong field."""
    value = _strict_json(data)
    try:
        return body.model_validate(value)
    except ValidationError as error:
        raise InputError(_first(error, body)) from None


def _strict_json(data: bytes) -> Any:
    try:
        value = json.loads(
            data.decode("utf-8"), parse_constant=_refuse, parse_float=_finite, parse_int=_finite
        )
        if b"\\ud" in data.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except BadJson:
        raise
    except UnicodeError:
        raise BadJson("the body is not UTF-8 text; expected JSON") from None
    except RecursionError:
        raise BadJson("the body is nested too deeply; expected arguments of rows of cells") from None
    except ValueError as error:
        raise BadJson(f"the body is not JSON: {error}") from None
    return value


def _refuse(constant: str) -> NoReturn:
    raise BadJson(f"the body has the number {constant}; expected finite numbers, and null where missing")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _refuse(digits if len(digits) < 40 else f"{digits[:36]}…")
    return number


def _first(error: ValidationError, body: type[Request]) -> str:
    """The first wrong field: its place, its value and what was expected."""
    problems = error.errors(include_url=False, include_context=False)
    place, value = _place(problems[0]["loc"]), problems[0]["input"]
    if problems[0]["type"] == "missing":
        return f"{place} is missing"
    if problems[0]["type"] == "extra_forbidden":
        return f"{place} is unknown; expected one of {', '.join(body.model_fields)}"
    expected = " or ".join(
        dict.fromkeys(_expected(p["type"], p["msg"]) for p in problems if _place(p["loc"]) == place)
    )
    shown = repr(value)
    return f"{place} is {shown if len(shown) <= 60 else shown[:57] + '…'}; expected {expected}"


def _place(keys: tuple[int | str, ...]) -> str:
    """Such as "prior.vols[0][2]"; the names of union branches that pydantic adds are left out."""
    parts = [f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys if key not in _BRANCHES]
    return "".join(parts).removeprefix(".") or "the body"


def _expected(kind: str, message: str) -> str:
    return _EXPECTED.get(kind, message.removeprefix("Input should be ").removeprefix("String should "))
