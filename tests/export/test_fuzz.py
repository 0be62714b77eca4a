"""The fuzz of `voladdin bench fuzz`, a few cases of each target; and that it sees what it should."""

from __future__ import annotations

import itertools
import time
import warnings

import numpy as np
import pytest

import voladdin as va
from export.bench import fuzz
from export.bench.fuzz.trial import Trial, same_bits

CASES = {
    "impute": 60,
    "market": 30,
    "check": 300,
    "repair": 150,
    "generate": 25,
    "shift": 40,
    "smile": 25,
    "evaluate": 1200,
}


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_every_case_is_answered_or_refused_as_documented(target: str) -> None:
    trial = fuzz.fuzz(target, seed=20_260_000, cases=CASES[target])
    assert trial.cases == CASES[target]
    assert trial.counts["answered"] > 0.05 * trial.cases
    assert trial.failures == {}


FOUND = [  # tenors of 1e-300 years, K/F beyond a float, ragged arguments, vols of 5e-324, a call worth 1
    *(("evaluate", 3_000_000 + n) for n in (59270, 104146, 129538, 108570, 296255, 393128, 381249)),
    *(("evaluate", 4_000_000 + n) for n in (51089, 299642)),
    *(("impute", 3_000_000 + n) for n in (298, 5355)),
    ("repair", 3_032_792),
    ("smile", 3_002_258),
    *(("shift", 3_000_000 + n) for n in (407, 1673)),
]


@pytest.mark.parametrize(("target", "seed"), FOUND)
def test_what_long_runs_have_found(target: str, seed: int) -> None:
    assert fuzz.fuzz(target, seed, cases=1).failures == {}


def test_a_stalled_process_gives_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a grid whose nearest surface without arbitrage takes many steps."""
    rng = np.random.default_rng(3)
    vols = np.where(rng.random((12, 9)) < 0.5, np.nan, np.exp(rng.uniform(np.log(0.02), np.log(2), (12, 9))))
    surface = va.Surface(vols, np.geomspace(0.05, 10, 12), deltas=np.linspace(0.95, 0.05, 9))
    calm = va.impute(surface)
    assert calm.moved.any()
    hours = itertools.count()
    for name in ("time", "perf_counter", "monotonic", "process_time"):
        monkeypatch.setattr(time, name, lambda: 3600.0 * next(hours))
    assert same_bits(va.impute(surface).filled, calm.filled)


def _warns(rng: np.random.Generator, trial: Trial) -> None:
    trial.call("it", lambda: warnings.warn("overflow", RuntimeWarning, stacklevel=1))


def _raises(rng: np.random.Generator, trial: Trial) -> None:
    trial.call("it", lambda: [][1])


def _refuses(rng: np.random.Generator, trial: Trial) -> None:
    trial.call("it", lambda: va.Surface([[-1.0]], [1.0], deltas=[0.5]))


def _breaks(rng: np.random.Generator, trial: Trial) -> None:
    raise KeyError("harness")


def _promises(rng: np.random.Generator, trial: Trial) -> None:
    trial.expect(np.array([True, False]), "a promise", "detail")


@pytest.mark.parametrize(
    ("case", "failure"),
    [
        (_warns, "it warned: RuntimeWarning"),
        (_raises, "it raised IndexError"),
        (_refuses, None),
        (_breaks, "the harness: KeyError"),
        (_promises, "a promise"),
    ],
)
def test_what_counts_as_a_failure(case: object, failure: str | None) -> None:
    trial = Trial()
    trial.run(case, 7)  # type: ignore[arg-type]
    assert list(trial.failures) == ([failure] if failure else [])
    assert all(seen[0].startswith("seed 7: ") for seen in trial.failures.values())


def test_the_command_prints_a_table_and_its_seeds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fuzz.main(["--target", "check", "--cases", "5"]) == 0
    assert "| check | 5 |" in capsys.readouterr().out
    monkeypatch.setitem(fuzz.TARGETS, "check", _promises)
    assert fuzz.main(["--target", "check", "--cases", "2", "--seed", "9"]) == 1
    assert "check: a promise\n  seed 9: detail\n  seed 10: detail" in capsys.readouterr().out


def test_the_same_bits_are_told_from_nearly_the_same() -> None:
    nan = np.array([np.nan, 1.0])
    assert same_bits(nan, nan.copy())
    assert not same_bits([1.0], [np.nextafter(1.0, 2.0)])
    assert not same_bits([1.0], [1.0, 1.0])
