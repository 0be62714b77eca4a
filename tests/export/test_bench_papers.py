"""The papers' bench: every row has an item, items run, results are kept and are what the document prints."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from export.bench.papers import command, document, results
from export.bench.papers.below import below
from export.bench.papers.catalogue import ITEMS, PAPERS
from export.bench.papers.chapter.marginals import factors, marginal_distances
from export.bench.papers.gopal.leaders import leaders
from export.bench.papers.gopal.missing import printed
from export.bench.papers.gopal.rivals import FITTED, SAME_DAYS, VOLADDIN
from export.bench.papers.items import QUICK, Bench, Item, Outcome, Table
from export.bench.papers.wang.repairing import Loss, repaired
from export.bench.papers.wang.smoothed import Smoothed
from export.imputation.training.slices import AdamSteps, Deadline, Paused, Run
from voladdin.cli.program import BENCHES
from voladdin.errors import InputError

pytestmark = pytest.mark.torch
TINY = replace(
    QUICK,
    steps=60,
    drawn=200,
    search_steps=5,
    chapter_steps=5,
    epochs=1,
    most_epochs=1,
    simulated=60,
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(TINY, tmp_path_factory.mktemp("papers"))


def test_every_key_is_of_a_paper_and_every_row_is_there_once() -> None:
    assert {item.paper for item in ITEMS.values()} == set(PAPERS)
    places = [(item.paper, place) for item in ITEMS.values() for place in item.places]
    assert len(places) == len(set(places))
    assert all(item.printed and item.what for item in ITEMS.values())


@pytest.mark.parametrize(("paper", "tables", "figures"), [("002", 10, 22), ("003", 8, 20), ("004", 5, 35)])
def test_no_table_or_figure_is_left_out(paper: str, tables: int, figures: int) -> None:
    there = {place for item in ITEMS.values() if item.paper == paper for place in item.places}
    rows = [f"table {k}" for k in range(1, tables + 1)] + [f"figure {k}" for k in range(1, figures + 1)]
    assert set(rows) - there == set()


def test_printed_tables_are_the_papers() -> None:
    assert printed()[3, "AUDUSD", "Σ-VAE, residual"][0] == "8.65"
    assert printed()[10, "USDMXN", "Heston"][-1] == "114.54"
    assert len(printed()) == 8 * 5 * 6


def test_an_item_runs_once_and_is_kept(tmp_path: Path) -> None:
    calls: list[int] = []

    def measure(given: Bench) -> Outcome:
        calls.append(given.budget.steps)
        return Outcome("1.5", "as the paper", [Table("t", ("a", "b"), [["x", "1.5"]])])

    item, bench = Item("002-x", ("table x",), "a thing", "1.4", measure), Bench(TINY, tmp_path)
    first, second = (results.measured(bench, item) for _ in range(2))
    assert first == second and len(calls) == 1
    results.measured(replace(bench, budget=replace(TINY, drawn=TINY.drawn + 1)), item)
    assert len(calls) == 1, "what it does not read of a budget does not matter to it"
    results.measured(replace(bench, budget=replace(TINY, steps=TINY.steps + 1)), item)
    assert len(calls) == 2
    assert Outcome.of(first).ours == "1.5"


def test_training_goes_on_where_it_was_put_down(tmp_path: Path) -> None:
    rows = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))

    def run(file: str) -> Run:
        torch.manual_seed(0)
        return Run(torch.nn.Linear(3, 3), AdamSteps(1_500, 8, 1e-2), tmp_path / file)

    def loss(model: torch.nn.Module):
        return lambda x, _: (model(x) - x).square().mean()

    whole, first = run("whole.pt"), run("parts.pt")
    whole.train(rows, loss(whole.model), Deadline())
    with pytest.raises(Paused):
        first.train(rows, loss(first.model), Deadline(0.0))
    second = run("parts.pt")
    assert second.step == first.step == 1_000
    second.train(rows, loss(second.model), Deadline())
    for a, b in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize(
    "key",
    [
        "002-figure-3",
        "002-figure-13",
        "002-figure-20",
        "002-figure-19",
        "002-imputers",
        "003-table-7",
        "004-figure-22",
        "000-training",
    ],
)
def test_quick_items_run(bench: Bench, key: str) -> None:
    stored = results.measured(bench, ITEMS[key])
    assert re.search(r"\d", stored["ours"]) and stored["ran"]
    assert all(len(row) == len(table["header"]) for table in stored["tables"] for row in table["rows"])
    assert all((bench.folder / "pictures" / f"{name}.png").is_file() for name in stored["pictures"])


def test_numbers_of_the_document_come_from_the_results(bench: Bench) -> None:
    key = "003-table-7"
    stored = results.measured(bench, ITEMS[key])
    marked = json.loads(json.dumps(stored).replace(stored["tables"][0]["rows"][0][1], "12345.6"))
    text = document.text({key: marked}, "papers")
    assert "12345.6" in text and marked["ours"] in text
    assert text.count("not run") == sum(len(item.places) for item in ITEMS.values()) - 1


def test_an_unknown_item_is_refused() -> None:
    with pytest.raises(InputError, match=r"--only is '009'.*002-table-3"):
        command.chosen(["009"])


def test_every_command_of_the_document_is_one() -> None:
    """Keys of --only are items, benches are of the command line, files that stand for a diagram are there."""
    text = command.DOCUMENT.read_text("utf-8")
    keys = set(re.findall(r"--only ([\w-]+)", text))
    assert {item.key for key in keys for item in command.chosen([key])} == keys == set(ITEMS)
    named = set(re.findall(r"`voladdin ([\w ]+?)(?: [-.A-Z].*?)?`", text))
    assert named >= {"bench papers", "bench scenarios"}
    for words in named:
        kind, name = words.split()
        assert name in {"bench": BENCHES, "train": ("search", "folds")}[kind], words
    files = re.findall(r"`((?:export|voladdin)/[\w/.]+)`", text)
    assert files and all((command.DOCUMENT.parents[1] / file).is_file() for file in files)


def test_fits_are_compared_on_their_own_days() -> None:
    """A fit is before voladdin only where it is so on the days that it was fitted to."""
    by = {name: np.full(3, 10.0) for name in (VOLADDIN, "thin-plate spline")}
    by[VOLADDIN] = np.array([5.0, 20.0, 10.0])
    by[SAME_DAYS] = np.full(3, 4.0)
    by |= {name: np.full(3, 4.5) for name in FITTED}
    by["SSVI"] = np.array([4.5, 4.5, 2.0])
    cells = np.array([30.0, 60.0, 90.0]), np.array([4.0, 8.0, 12.0])
    words = leaders(by, ["10%", "20%", "30%"], cells)
    first = f"{VOLADDIN} first at 10%, 30%, thin-plate spline first at 20%"
    assert words.startswith(f"{first} (voladdin at most 2.00 of it; on 60 cells)")
    assert "SSVI before voladdin on its days at 30% (voladdin at most 2.00 of it; on 12 cells)" in words
    assert "SVI before" not in words.replace("SSVI", "")
    more = {name: np.append(row, np.nan) for name, row in by.items()}
    nowhere = leaders(more, ["10%", "20%", "30%", "1M"], (np.append(cells[0], 0.0), np.append(cells[1], 0.0)))
    assert nowhere == words, "a place without a cell has no leader"
    some = {name: by[name] for name in (VOLADDIN, SAME_DAYS, "SSVI")}
    where = "30% (voladdin at most 2.00 of it; on 12 cells)"
    assert leaders(some, ["10%", "20%", "30%"], cells).endswith(
        f", SSVI before voladdin on its days at {where}"
    )


def test_what_trained_less_than_its_paper_is_stated(tmp_path: Path) -> None:
    """Time at the paper's budget from the time that the checkpoint took."""
    model = torch.nn.Linear(1, 1)
    run = Run(model, AdamSteps(50, 4), tmp_path / "networks" / "gopal-x.pt")
    run.train(torch.ones(9, 1), lambda x, _: (model(x) - x).square().mean(), Deadline())
    run.seconds = 6.0
    run.save()
    rows = below(tmp_path).rows
    assert rows == [["VAEs of Gopal (2024)", "1", "50 steps", "100,000 steps", "200"]]


def test_networks_that_the_most_epochs_ended_are_stated(tmp_path: Path) -> None:
    """Mama's whose loss still fell, or that his rule does not end; all of Wang's that went as far as any."""
    for folder in ("networks", "wang"):
        (tmp_path / folder).mkdir()
    falls, stalls = range(30, 0, -1), [5, *range(6, 30)]
    for name, losses, stop in (("falls", falls, 10), ("stalls", stalls, 10), ("cycles", stalls, 0)):
        stored = {"curve": [[k, loss] for k, loss in enumerate(losses)], "stop": stop}
        torch.save(stored, tmp_path / f"networks/mama-{name}.pt")
    for epochs in (2, 60, 60):
        file = tmp_path / "wang" / f"{len([*(tmp_path / 'wang').iterdir()])}.pt"
        torch.save({"epoch": epochs, "seconds": 0.5 * epochs, "surfaces": 1_000}, file)
    mama, cycles, wang = below(tmp_path).rows
    assert mama[:3] == ["networks of Mama (2022), constant β", "1", "30 epochs"]
    assert cycles[1:3] == ["1", "25 epochs"]
    assert wang[1:3] == ["2", "60 epochs of at most 1,000 surfaces, 960 batches"]
    assert wang[-1] == f"{0.5 / 1_000 * 5_000 * 60_000 / 60:,.0f}"


def test_latent_repair_mends_a_small_violation() -> None:
    """Total variance falls by 4e-4 a year until z lifts the long end: losses of 1e-4 are worked on too."""
    tenors, moneyness = np.linspace(0.1, 0.6, 8), np.linspace(-0.27, 0.27, 9)
    tau = torch.tensor(np.repeat(tenors, 9), dtype=torch.float32)

    def decoder(_features: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return 0.3 * (0.1 / tau).sqrt() * (1 - 0.02 * tau) + 0.05 * z * tau

    found = SimpleNamespace(tenors=tenors, moneyness=moneyness)
    start = torch.zeros(1, 1)
    loss = Loss(cast(Any, found), start, decoder(start, start), decoder)
    assert float(loss(start)) > 0.0
    done, losses = repaired(loss, start)
    assert done and 0 < len(losses) < 60
    hopeless = Loss(cast(Any, found), start, decoder(start, start), lambda y, z: decoder(y, 0.0 * z))
    assert not repaired(hopeless, start)[0]


def test_marginals_are_told_apart_in_deviations() -> None:
    """A level two deviations higher is 2 away and leaves skew, wings and term where they are."""
    logs = np.random.default_rng(0).normal(size=(500, 40))
    truth = factors(logs, (8, 5))
    moved = factors(logs + 2 * truth[:, 0].std(), (8, 5))
    np.testing.assert_allclose(marginal_distances(moved, truth), [2.0, 0.0, 0.0, 0.0], atol=1e-12)


def test_a_polynomial_is_left_as_it_is_by_smoothing() -> None:
    """And errors of single nodes are not: the projection of section 3.3 is on polynomials of degree 3."""
    tenors, moneyness = np.linspace(0.1, 0.6, 12), np.linspace(-0.27, 0.27, 15)
    found = SimpleNamespace(tenors=tenors, moneyness=moneyness)
    hat = Smoothed.of(cast(Any, None), cast(Any, found)).hat
    shape = (0.2 + 0.1 * tenors[:, None] * moneyness**2 - 0.3 * moneyness**3 + 0.05 * tenors[:, None]).ravel()
    noise = np.random.default_rng(0).standard_normal(shape.size)
    np.testing.assert_allclose(shape @ hat, shape, atol=1e-12)
    assert np.std(noise @ hat) < 0.4 * np.std(noise)


def test_the_committed_document_has_a_row_for_every_place() -> None:
    if not command.DOCUMENT.is_file():
        pytest.skip("docs/papers.md is not written yet")
    text = command.DOCUMENT.read_text("utf-8")
    for item in ITEMS.values():
        assert f"`--only {item.key}`" in text, item.key
    pictures = re.findall(r"\]\((papers/[^)]+)\)", text)
    sizes = [(command.DOCUMENT.parent / picture).stat().st_size for picture in pictures]
    assert np.sum(sizes) < 2e6
