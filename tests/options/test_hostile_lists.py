"""Lists that mix units, currencies or underlyings, and those of pivot tables and other languages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from tests.options.test_lists import DAY, cells, listed, worst
from voladdin.cells import Cells, parse_options
from voladdin.errors import InputError, UnitsError
from voladdin.worksheet.registry import evaluate

COLUMNS = ("days", "strike", "side", "bid", "ask")
VOLS = ("days", "strike", "side", "iv", "forward")


def changed(**by_heading: Any) -> list[dict[str, Any]]:
    """The options with other values under some headings: functions of (row number, option)."""
    return [row | {name: of(i, row) for name, of in by_heading.items()} for i, row in enumerate(listed())]


def test_vols_in_percent_text_beside_plain_points_are_one() -> None:
    mixed = changed(iv=lambda i, row: f"{100 * row['iv']!r}%" if i % 2 else 100 * row["iv"])
    assert worst(evaluate("VOLGRID", [cells(mixed, *VOLS)])) < 1e-12
    decimal = changed(iv=lambda i, row: f"{100 * row['iv']!r}%" if i % 2 else row["iv"])
    assert worst(evaluate("VOLGRID", [cells(decimal, *VOLS)])) < 1e-12


@pytest.mark.parametrize("every", [2, 7, 40])
def test_decimals_among_percent_points_are_refused(every: int) -> None:
    mixed = changed(iv=lambda i, row: row["iv"] * (1 if i % every == 0 else 100))
    with pytest.raises(UnitsError, match=r"\(a decimal\?\) and cell D\d+ .* differ in unit"):
        evaluate("VOLGRID", [cells(mixed, *VOLS)])


def test_basis_points_are_refused_and_large_decimals_said() -> None:
    with pytest.raises(UnitsError, match=r"may be percent points \(2\d\d\d.*%\) or basis points"):
        parse_options(cells(changed(iv=lambda i, row: 1e4 * row["iv"]), *VOLS))
    read = parse_options(cells(changed(iv=lambda i, row: 10 * row["iv"]), *VOLS))
    assert any("are read as decimals, 200" in note for note in read.notes)


def test_prices_of_two_currencies_are_refused() -> None:
    mixed = changed(ask=lambda i, row: f"{'€' if i == 50 else '$'}{row['ask']:.6f}")
    with pytest.raises(InputError, match=r"cell E2 .*'\$.*cell E52 .*'€.*two currencies"):
        parse_options(cells(mixed, *COLUMNS))
    one = changed(ask=lambda i, row: f"{row['ask']:.9f} USD")
    assert worst(evaluate("VOLGRID", [cells(one, *COLUMNS)])) < 5e-3


def test_two_tickers_are_refused_and_a_symbol_an_option_is_none() -> None:
    mixed = changed(symbol=lambda i, row: "MSFT" if i == 50 else "AAPL")
    with pytest.raises(InputError, match=r"'AAPL' and cell F52 .* 'MSFT': two underlyings"):
        parse_options(cells(mixed, *COLUMNS, "symbol"))
    named = changed(symbol=lambda i, row: f"X{i}-{row['strike']:g}")
    assert len(parse_options(cells(named, *COLUMNS, "symbol")).rows) == len(named)


def test_forwards_that_differ_within_an_expiry_are_said() -> None:
    moved = changed(forward=lambda i, row: row["forward"] * (1.2 if i % 2 else 1.0))
    notes = parse_options(cells(moved, *VOLS)).notes
    assert sum("its median" in note for note in notes) == 3 and "the forward of 40 days is 100.2" in notes[0]
    assert parse_options(cells(listed(), *VOLS)).notes == ()


def pivoted(*names: str) -> Cells:
    """Sorted by expiry and strike, each label once."""
    rows = sorted(listed(), key=lambda row: (row["days"], row["strike"], row["side"]))
    table, last = cells(rows, *COLUMNS), dict.fromkeys(names)
    for row in table[1:]:
        for name in names:
            j = COLUMNS.index(name)
            row[j], last[name] = (None if row[j] == last[name] else row[j]), row[j]
    return table


@pytest.mark.parametrize("names", [("days",), ("days", "strike")])
def test_labels_that_stand_once_are_carried_down(names: tuple[str, ...]) -> None:
    table = [*pivoted(*names), [None, None, None, 12.0, 13.0], ["Total", None, None, 99.0, 98.0]]
    read = parse_options(table)
    assert len(read.rows) == len(listed()) and not read.unread
    assert len(read.notes) == len(names) and "above" in str(read.notes)
    plain = parse_options(cells(listed(), *COLUMNS)).options
    for field in ("years", "strikes", "calls"):
        assert sorted(getattr(read.options, field)) == sorted(getattr(plain, field))


def test_a_stray_blank_is_no_pivot() -> None:
    table = cells(listed(), *COLUMNS)
    table[9][0] = table[12][1] = None
    read = parse_options(table)
    assert dict(read.unread).keys() == {9, 12} and "expected a strike" in dict(read.unread)[12]


def test_whole_numbers_under_vol_beside_prices_are_volumes() -> None:
    traded = changed(iv=lambda i, row: i % 7 * 10, bid=lambda i, row: 0.5 * (row["bid"] + row["ask"]))
    table = cells(traded, "days", "strike", "side", "bid", "iv", bid="Last", iv="Vol")
    read = parse_options(table)
    assert "'Vol', of whole numbers: read as the volume" in read.notes[0]
    assert read.options.stale is not None and read.options.stale.sum() == np.sum(np.arange(90) % 7 == 0)
    vols = changed(iv=lambda i, row: 100 * row["iv"])
    assert "the vols are implied" in parse_options(cells(vols, *COLUMNS, "iv", iv="Vol")).notes[0]


def test_calls_named_puts_are_refused() -> None:
    other = changed(side=lambda i, row: "P" if row["side"] == "C" else "C")
    for scale in (1.0, 100.0):
        scaled = [row | {"strike": scale * row["strike"]} for row in other]
        with pytest.raises(InputError, match=r"worth more the higher the strike, .* the other way round"):
            evaluate("VOLGRID", [cells(scaled)])


def test_sides_that_are_not_read_are_named_where_the_rest_does_not_do() -> None:
    for put in (0, False, None):
        one = changed(side=lambda i, row, put=put: 1 if row["side"] == "C" else put)
        with pytest.raises(
            InputError, match=r"no strike with both .*\(45 rows are left out, the first since cell C"
        ):
            evaluate("VOLGRID", [cells(one)])
    indian = changed(side=lambda i, row: row["side"] + "E")
    assert worst(evaluate("VOLGRID", [cells(indian)])) == worst(evaluate("VOLGRID", [cells(listed())]))


def test_vols_without_forwards_say_what_they_lack() -> None:
    with pytest.raises(InputError, match="vols tell no forward; expected a forward for each expiry"):
        evaluate("VOLGRID", [cells(listed(), "days", "strike", "side", "iv")])


def test_a_title_says_the_valuation_date() -> None:
    dated = changed(days=lambda i, row: DAY + timedelta(days=row["days"]))
    plain = cells(dated, days="expiry")
    told = evaluate("VOLGRID", [plain, "grid", DAY])
    for title in (
        ["XYZ options", "As of 2026-01-05", None, None, None],
        ["Valuation", DAY, None, None, None],
    ):
        assert evaluate("VOLGRID", [[title, *plain]]) == told
        later = parse_options([title, *plain], DAY + timedelta(days=10))
        assert later.options.years.min() == pytest.approx(30 / 365)
    with pytest.raises(InputError, match="a date; expected a valuation date too"):
        evaluate("VOLGRID", [[["XYZ", DAY, None, None, None], *plain]])
