"""What the server reads: strict JSON, then the shape of each request."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voladdin.errors import InputError
from voladdin.surface import Surface

Cell = float | str | bool | None
Number = Annotated[float, Field(strict=True)]
Grid = list[list[Number | None]]
Axis = list[Number]
Matrix = list[list[Number]]
Body = TypeVar("Body", bound="Request")


class BadJson(InputError):
    """The body is not strict JSON."""


class Request(BaseModel):
    """Exactly the named fields, of exactly the named types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Arguments(Request):
    """Arguments of a worksheet function: each one a cell, or rows of cells."""

    arguments: list[Cell | list[list[Cell]]]


class SurfaceBody(Request):
    """A surface: `vols` [T, K] decimals with null where missing; one strike axis, as `voladdin.Surface`."""

    vols: Grid
    tenors: list[Number | str]
    deltas: Axis | None = None
    moneyness: Axis | Matrix | None = None
    strikes: Axis | Matrix | None = None
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
    prior_age: Number = 1.0
    model: str = Field("fx", pattern=r"^\w[\w.-]{0,63}$")
    coverage: Number = 0.90


_FIELDS = {*ImputeBody.model_fields, *Arguments.model_fields}


def parse(data: bytes, body: type[Body]) -> Body:
    """Read `data` as `body`; BadJson for what strict JSON does not have, InputError for a wrong field."""
    value = _strict_json(data)
    try:
        return body.model_validate(value)
    except ValidationError as error:
        raise InputError(_first(error)) from None


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


def _first(error: ValidationError) -> str:
    """The first wrong field with its place, value and what was expected."""
    problem = error.errors(include_url=False)[0]
    place = ""
    for key in problem["loc"]:
        if isinstance(key, int):
            place += f"[{key}]"
        elif key in _FIELDS or problem["type"] == "extra_forbidden":
            place += f".{key}" if place else key
    if problem["type"] == "missing":
        return f"{place} is missing"
    shown = repr(problem["input"])
    shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
    return f"{place or 'the body'} is {shown}; {problem['msg'][0].lower()}{problem['msg'][1:]}"
