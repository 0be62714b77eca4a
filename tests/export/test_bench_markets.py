"""`voladdin bench markets` on small budgets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binom

import voladdin as va
from export.bench.classical.interpolators import at_quotes, linear, ssvi
from export.bench.classical.smiles import sabr, svi
from export.bench.markets import answers, history_splits, quoted_surfaces
from export.bench.markets.answers import OURS, RIVALS, TOLD, MethodFill, product, timed
from export.bench.markets.coverage import coverage_table
from export.bench.markets.each_rival import each_rival_table
from export.bench.markets.functionals import covered_functionals
from export.bench.markets.history_splits import GRID, LATER, PAIR, later_surfaces, other_surfaces
from export.bench.markets.left_out import left_out_table
from export.bench.markets.quoted import Quoted
from export.bench.markets.quoted_surfaces import own_surfaces, real_surfaces, simulated_surfaces
from export.bench.markets.ratio_rows import ratio_table
from export.bench.markets.run import main
from export.bench.markets.scoring import Case, masked, ratio_interval, score_case
from export.bench.markets.tables import render
from export.simulation.markets import MASKS, UNSEEN_MASKS, draw_batch
from export.simulation.sabr import hagan_vol

TENORS = np.array([0.1, 0.25, 0.5, 1.0])
MONEYNESS = 0.2 * np.sqrt(TENORS)[:, None] * np.linspace(-1.5, 1.5, 9)


def hole(vols, row=1, column=4):
    shown = vols.copy()
    shown[row, column] = np.nan
    return shown


def smile_surface() -> Quoted:
    vols = 0.2 - 0.1 * MONEYNESS / np.sqrt(TENORS)[:, None] + 0.01 * np.sqrt(TENORS)[:, None]
    return Quoted("made", "made", TENORS, vols, vols, moneyness=MONEYNESS)


# rivals find their own kind ---------------------------------------------------------------------------------


def test_linear_is_exact_on_flat_total_variance():
    vols = np.full(MONEYNESS.shape, 0.2)
    shown = vols.copy()
    shown[1] = np.nan
    np.testing.assert_allclose(linear(TENORS, MONEYNESS, shown), vols)
    shown[[0, 3]] = np.nan
    np.testing.assert_allclose(linear(TENORS, MONEYNESS, shown), vols)


def test_svi_finds_svi():
    w = TENORS[:, None] * (0.02 + 0.1 * (-0.4 * (MONEYNESS - 0.05) + np.sqrt((MONEYNESS - 0.05) ** 2 + 0.04)))
    vols = np.sqrt(w / TENORS[:, None])
    np.testing.assert_allclose(at_quotes(svi)(TENORS, MONEYNESS, hole(vols)), vols, rtol=2e-4)


def test_ssvi_finds_ssvi():
    theta = 0.04 * TENORS[:, None]
    y = 1.1 * theta**-0.4 * (1 + theta) ** -0.6 * MONEYNESS
    vols = np.sqrt(0.5 * theta * (1 - 0.5 * y + np.sqrt((y - 0.5) ** 2 + 0.75)) / TENORS[:, None])
    shown = hole(vols)
    shown[2] = np.nan
    np.testing.assert_allclose(at_quotes(ssvi)(TENORS, MONEYNESS, shown), vols, rtol=1e-3)


def test_sabr_finds_sabr():
    vols = hagan_vol(MONEYNESS, TENORS[:, None], 0.2, 1.0, -0.4, 0.8)
    np.testing.assert_allclose(at_quotes(sabr)(TENORS, MONEYNESS, hole(vols)), vols, rtol=1e-4)


@pytest.mark.parametrize("name", ["thin-plate", "one process", "additive process", "Andreasen-Huge"])
def test_smooth_rivals_fill_a_smooth_surface(name):
    surface = smile_surface()
    hidden = np.zeros(surface.vols.shape, bool)
    hidden[1, 4] = True
    found = timed(RIVALS[name], surface, hidden)
    assert found.note == ""
    assert found.fill[1, 4] == pytest.approx(surface.vols[1, 4], abs=3e-3)


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("mask", MASKS)
def test_every_rival_answers_every_mask(name, mask):
    surface, _, hidden = next(masked(list(simulated_surfaces("essvi", 3, 3, None)), [mask], 1, 0, 0))
    found = timed(RIVALS[name], surface, hidden)
    assert np.isfinite(found.fill[hidden]).all() and (found.fill[hidden] > 0).all()


def test_smiles_of_which_one_delta_has_several_strikes_are_passed_over(monkeypatch):
    def folded(*arguments, **options):
        batch = draw_batch(*arguments, **options)
        return replace(batch, grid="listed", moneyness=-batch.moneyness)

    assert len(list(simulated_surfaces("ssvi", 3, 0, None))) == 3
    monkeypatch.setattr(quoted_surfaces, "draw_batch", folded)
    assert not list(simulated_surfaces("ssvi", 3, 0, None))


def test_rivals_at_deltas_see_no_hidden_vol():
    deltas = np.array([0.9, 0.75, 0.5, 0.25, 0.1])
    vols = 0.1 + 0.02 * ndtri(deltas) ** 2 + np.zeros((4, 1))
    surface = Quoted("made", "made", TENORS, vols, vols, deltas=deltas)
    hidden = np.zeros(vols.shape, bool)
    hidden[1, 3] = True
    other = replace(surface, vols=np.where(hidden, 0.9, vols))
    for name in ("linear", "SVI", "SSVI", "SABR"):
        first, second = (timed(RIVALS[name], s, hidden).fill[1, 3] for s in (surface, other))
        assert first == second


# scores -----------------------------------------------------------------------------------------------------


def test_scores_are_of_hidden_cells_in_percent_of_the_level():
    surface = smile_surface()
    surface = replace(surface, bid=surface.vols - 0.0015, ask=surface.vols + 0.0015)
    hidden = np.zeros(surface.vols.shape, bool)
    hidden[2, 3:5] = True
    fill = surface.vols.copy()
    fill[2, 3] += 0.001
    fill[2, 4] += 0.003
    fill[0] += 1.0

    def method(quoted, hidden):
        return MethodFill(fill, fill - 0.002, fill + 0.002, np.full(fill.shape, 0.001))

    case = score_case(surface, "10%", hidden, {"mine": method})
    assert case.error["mine"] == pytest.approx(100 * 0.002 / surface.level)
    assert case.covered["mine"] == case.inside["mine"] == 0.5
    assert 0 < case.crps["mine"] < case.error["mine"]


def test_a_refusal_is_recorded_by_its_message(monkeypatch):
    def refuse(surface, **arguments):
        raise va.InputError("the grid is too large; expected a smaller one")

    monkeypatch.setattr(answers.va, "impute", refuse)
    surface = smile_surface()
    case = score_case(surface, "10%", ~surface.quoted | (MONEYNESS == 0), {OURS: product(None)})
    assert case.error == {} and "too large" in case.notes[OURS]
    text = render([replace(case, error={"linear": 1.0}, ms={"linear": 1.0, OURS: 1.0})], ["linear", OURS])
    assert "refused" in text


def test_draws_are_asked_for_where_they_are_offered(monkeypatch):
    surface = smile_surface()

    class WithDraws:
        filled = low = high = std = surface.vols

        @staticmethod
        def draws(n, seed):
            noise = np.random.default_rng(seed).standard_normal((n, 1, 1))
            return surface.vols + 0.01 * noise

    monkeypatch.setattr(answers.va, "impute", lambda surface, **arguments: WithDraws())
    hidden = np.zeros(surface.vols.shape, bool)
    hidden[1] = True
    case = score_case(surface, "expiry", hidden, {OURS: product(None, draws=64)})
    kinds = {found.kind for found in case.functionals}
    assert kinds == {"ATM spread", "forward variance", "25-delta risk reversal", "average of a smile"}
    assert len(case.of_draws) == 64 and set(case.of_draws) <= {i / 3 for i in range(4)}


def test_functionals_count_only_what_is_hidden_and_see_wrong_draws():
    surface = smile_surface()
    hidden = np.zeros(surface.vols.shape, bool)
    assert not list(covered_functionals(surface, hidden, surface.vols[None]))
    hidden[1] = True
    noise = 1e-4 * np.random.default_rng(0).standard_normal((400, *surface.vols.shape))
    right = list(covered_functionals(surface, hidden, surface.vols + noise))
    wrong = list(
        covered_functionals(surface, hidden, surface.vols * np.linspace(1, 1.2, 9) + 0.3 * hidden + noise)
    )
    assert all(found.covered for found in right) and not all(found.covered for found in wrong)


def test_a_paired_interval_holds_a_constant_ratio():
    bottom = np.random.default_rng(0).exponential(size=30)
    assert ratio_interval(0.8 * bottom, bottom) == pytest.approx((0.8, 0.8, 0.8))


# the command ------------------------------------------------------------------------------------------------


def test_masks_in_turn_are_all_used():
    surfaces = [smile_surface()] * 3
    seen = [mask for _, mask, _ in masked(surfaces, tuple(MASKS), 1, 3, 0)]
    assert seen == list(MASKS)


def test_the_command_prints_ours_over_the_best_rival(capsys, tmp_path):
    arguments = ["--set", "simulated", "--family", "essvi", "--mask", "30%", "--count", "2", "--repeats", "1"]
    arguments += ["--rival", "linear", "--rival", "thin-plate", "--output", str(tmp_path / "out.md")]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "| essvi | 30% | 2 |" in text and "ours / best" in text and "**mean of simulated**" in text
    assert (tmp_path / "out.md").read_text() in text


def test_holes_that_nothing_is_trained_under_are_asked_for(capsys):
    arguments = ["--set", "simulated", "--family", "essvi", "--count", "1", "--repeats", "1", "--draws", "0"]
    assert main([*arguments, "--rival", "linear", "--unseen"]) == 0
    text = capsys.readouterr().out
    assert all(f"| essvi | {mask} |" in text for mask in UNSEEN_MASKS)
    assert not any(f"| essvi | {mask} |" in text for mask in MASKS)


def test_holes_are_named_or_all_that_nothing_is_trained_under(capsys):
    with pytest.raises(SystemExit):
        main(["--unseen", "--mask", "money"])
    assert "not allowed with" in capsys.readouterr().err


def _file(path, columns, rows):
    path.write_text("\n".join([columns, *(",".join(map(str, row)) for row in rows)]))
    return path


def test_sets_that_only_leaves_out_are_named_in_the_message(capsys):
    assert main(["--set", "simulated", "--family", "ssvi", "--quick", "--only", "nowhere"]) == 1
    assert "--only" in capsys.readouterr().err


def test_surfaces_of_ones_own(tmp_path):
    strikes = [("OIL", "2026-01-30", t, k / 10, 0.3 + 0.01 * abs(k)) for t in (0.25, 1) for k in range(-2, 4)]
    deltas = [("GAS", "2026-01-30", t, d, 0.5) for t in (0.25, 1) for d in (0.75, "", 0.25)]
    own = "underlying,date,tenor_years"
    (oil,) = own_surfaces(_file(tmp_path / "k.csv", f"{own},log_moneyness,vol", strikes))
    (gas,) = own_surfaces(_file(tmp_path / "d.csv", f"{own},call_delta,vol", deltas))
    assert oil.set == "OIL" and oil.vols.shape == (2, 6) and oil.moneyness[0, 0] == -0.2
    assert gas.set == "GAS" and gas.deltas.tolist() == [0.75, 0.5, 0.25] and (gas.vols == 0.5).all()
    for columns, rows, words in (
        (
            f"{own},strike,vol",
            strikes,
            "has the columns underlying, date, tenor_years, strike, vol; expected",
        ),
        (f"{own},log_moneyness,vol", strikes[:4], "OIL 2026-01-30 has no expiry of 5 quotes"),
    ):
        with pytest.raises(va.InputError, match=words):
            list(own_surfaces(_file(tmp_path / "bad.csv", columns, rows)))


@pytest.mark.data
def test_real_surfaces_are_all_there():
    found = list(real_surfaces())
    quotes = {surface.set: int(surface.quoted.sum()) for surface in found}
    assert quotes["SPX chain"] == 2524 and quotes["DAX strikes"] == 104 and quotes["STOXX deltas"] == 221
    assert len([surface for surface in found if surface.set == "FX raw quotes"]) == 4
    for surface in found:
        assert np.nanmin(surface.vols) > 0.01 and np.nanmax(surface.vols) < 2.0


@pytest.mark.data
def test_later_surfaces_are_days_of_2018():
    found = list(later_surfaces(3))
    assert len(found) == 9 and all(" 2018-" in surface.name and surface.set == LATER for surface in found)


@pytest.mark.data
def test_a_split_is_answered_by_who_never_saw_what_it_hides(monkeypatch, tmp_path):
    trained = {}

    def bundle_of(folder, split, steps):
        trained[folder / split.bundle] = split
        return folder / split.bundle

    monkeypatch.setattr(history_splits, "bundle_of", bundle_of)
    found = list(other_surfaces(2, tmp_path, 10))
    assert len(found) == 12 and [surface.set for _, surface in found] == [PAIR] * 6 + [GRID] * 6
    for bundle, surface in found:
        split = trained[bundle]
        assert max(split.train.dates[-1], split.validation.dates[-1]) < np.datetime64("2018-01-01")
        assert " 2018-" in surface.name and surface.vols.shape == (8, 5)
        if surface.set == PAIR:
            assert surface.name[:6] not in {*split.train.pairs, *split.validation.pairs}
        else:
            assert split.train.axes.shape == split.validation.axes.shape == (4, 3)
            assert split.train.vols.shape[2:] == (4, 3) and set(split.train.axes.tenors) < set(surface.tenors)
            np.testing.assert_allclose(split.train.axes.deltas, [0.1, 0.5, 0.9])


def test_a_completer_trains_and_answers(tmp_path):
    torch = pytest.importorskip("torch")
    from export.bench.markets.completer import load_completer, train

    torch.set_num_threads(1)
    torch.save(train(0.02, 0, (), None).state_dict(), tmp_path / "weights.pt")
    surface = smile_surface()
    hidden = np.zeros(surface.vols.shape, bool)
    hidden[1] = True
    method = load_completer(tmp_path / "weights.pt")
    found, other = (
        method(replace(surface, vols=np.where(hidden, v, surface.vols)), hidden) for v in (0.3, 0.9)
    )
    assert np.isfinite(found.fill).all() and (found.low < found.high).all()
    np.testing.assert_array_equal(found.fill, other.fill)


def test_bid_and_ask_are_shown_but_for_hidden_cells(monkeypatch):
    surface, seen = smile_surface(), {}
    quoted = replace(surface, bid=surface.vols - 0.001, ask=surface.vols + 0.001)

    class Same:
        filled = low = high = std = surface.vols

    monkeypatch.setattr(answers.va, "impute", lambda surface, **arguments: seen.update(arguments) or Same())
    hidden = np.zeros(surface.vols.shape, bool)
    hidden[1] = True
    product(None, market=True)(quoted, hidden)
    assert (np.isnan(seen["bid"]) == hidden).all() and (seen["ask"][~hidden] > quoted.vols[~hidden]).all()
    seen.clear()
    product(None)(quoted, hidden)
    assert not seen


@pytest.mark.parametrize("option", ["--told", "--without"])
def test_a_bundle_that_is_not_there_or_not_finished_is_an_error(option, tmp_path, capsys):
    (tmp_path / "ssvi").mkdir()  # a training that still runs
    with pytest.raises(SystemExit):
        main(["--set", "simulated", "--family", "ssvi", option, str(tmp_path)])
    assert "no card.json" in capsys.readouterr().err


def test_the_model_that_was_told_is_no_rival():
    errors = {"linear": 2.0, TOLD: 0.5, OURS: 1.0}
    case = Case("ssvi", "10%", "one", 5, errors, errors, {}, {}, errors, {})
    row = next(line for line in render([case], ["linear", TOLD, OURS]).splitlines() if "| ssvi | 10%" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[3] == "linear" and cells[6] == "0.50" and cells[-1] == "2.00"


def test_a_family_is_not_measured_by_itself_in_the_second_column():
    errors = {"linear": 2.0, "SSVI": 0.1, TOLD: 0.8, OURS: 1.0}
    cases = [Case("ssvi", mask, "one", 5, errors, errors, {}, {}, errors, {}) for mask in ("10%", "atm")]
    table = left_out_table(cases, ["linear", "SSVI"])
    row = next(line for line in table.splitlines() if line.startswith("| ssvi"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["ssvi", "10.00", "0.50", "1.25"]
    assert "| rows above 1.05, of 2 | 2 | 0 | 2 |" in table
    assert not left_out_table([replace(case, error={"linear": 2.0, OURS: 1.0}) for case in cases], ["linear"])


def test_ours_over_a_rival_is_of_the_rows_on_which_both_answer_every_case():
    """Twice as near on one row, farther on another whose interval has 1 in it, and refused on a third."""

    def row(*errors: tuple[float, float | None]) -> list[Case]:
        each = [{OURS: ours} | ({} if its is None else {"linear": its}) for ours, its in errors]
        return [Case("dax", "10%", "one", 5, error, error, {}, {}, error, {}) for error in each]

    rows = [row((1.0, 2.0), (1.0, 2.0)), row((3.0, 0.5), (1.0, 1.5)), row((1.0, 1.0), (1.0, None))]
    line = each_rival_table(rows, ["linear"]).splitlines()[4]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "linear",
        "2",
        "**1.00**",
        "1",
        "0",
        "2.00",
    ]
    assert (
        each_rival_table([row((3.0, 1.0), (2.0, 1.0))], ["linear"]).splitlines()[4].split("|")[5].strip()
        == "1"
    )
    assert not each_rival_table([row((1.0, None))], ["linear"])


def test_ratios_were_a_draw_true_are_of_the_best_rival_of_each_draw():
    """Ours errs by 1, and of two rivals one by a half, the other by 2: which is which is chance."""
    drawn = {"linear": (0.5, 2.0), "SSVI": (2.0, 0.5), OURS: (1.0, 1.0)}
    own = {"linear": 4.0, "SSVI": 4.0, OURS: 1.0}
    case = Case("dax", "10%", "one", 5, own, own, {}, {}, own, {}, error_of_draws=drawn)
    table = ratio_table(
        {("dax", "10%"): [case], ("dax", "atm"): [replace(case, error_of_draws={})]}, ["linear", "SSVI"]
    )
    assert "| 0.25 | [0.25, 0.25] | 0.25 |  |  | 2.00 to 2.00 |" in table
    assert "above 1.20: 0 of 1, the worst 0.25; were a draw true 1 to 1, the worst 2.00 to 2.00." in table
    two = ratio_table(
        {("dax", "10%"): [case, case]}, ["linear", "SSVI"]
    )  # both lucky once, or one of them twice
    assert "| 0.80 to 2.00 |" in two


def test_a_mask_that_repeats_itself_is_one_case():
    surface = Quoted(
        "one", "dax", TENORS, np.full((4, 5), 0.2), np.full((4, 5), 0.2), deltas=np.linspace(0.9, 0.1, 5)
    )
    found = [mask for _, mask, _ in masked([surface], ["atm", "30%"], 4, 0, 0)]
    assert found == ["atm"] + 4 * ["30%"]


def test_coverage_beside_that_of_a_truth_that_is_a_draw() -> None:
    """Bands of independent cells that cover nine in ten draws: the range is the binomial's."""
    rng = np.random.default_rng(0)
    draws = tuple((rng.binomial(40, 0.9, 400) / 40).tolist())
    own = {OURS: 0.75}
    case = Case("dax", "10%", "one", 40, own, {}, own, {}, own, {}, of_draws=draws)
    table = coverage_table({("dax", "10%"): [case] * 4, ("dax", "atm"): [replace(case, of_draws=())]})
    low, high = (round(100 * one / 160) for one in binom(160, 0.9).ppf([0.05, 0.95]))
    assert f"| 75 | {low} to {high} |" in table and "| dax | atm | 75 |  |" in table
    share = binom(160, 0.9).cdf(160 * 0.855) + binom(160, 0.9).sf(160 * 0.955)
    assert "Rows outside 86 to 95: 1 of 1" in table
    assert float(table.split("; were a draw true ")[1].split(" of")[0]) == pytest.approx(share, abs=0.1)


def test_how_often_less_or_more_is_covered_than_of_draws() -> None:
    draws = tuple(np.linspace(0.0, 1.0, 101).tolist())
    cases = [
        Case("dax", "10%", "one", 40, {}, {}, {OURS: own}, {}, {}, {}, of_draws=draws)
        for own in (0.01, 0.06, 0.5, 0.9, 0.97, 1.0)
    ]
    words = coverage_table({("dax", "10%"): cases}).splitlines()[-1]
    assert "less is covered than of 95% of their draws: 17%; more: 33%" in words
