"""What a fuzz of one target saw: answers, documented errors, failures and warnings, each with its seed."""

from __future__ import annotations

import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from voladdin.errors import VoladdinError

T = TypeVar("T")
_MOST_SHOWN = 8  # seeds of one kind of failure that are kept


class Stopped(Exception):
    """The case is over: the call ended in an error, which is noted."""


@dataclass
class Trial:
    """Counts over many cases. seed: of the present one."""

    seed: int = 0
    cases: int = 0
    slowest: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, list[str]] = field(default_factory=dict)

    def run(self, case: Callable[[np.random.Generator, Trial], None], seed: int) -> None:
        """One case. What it raises itself is a failure too."""
        self.seed, self.cases = seed, self.cases + 1
        try:
            case(np.random.default_rng(seed), self)
        except Stopped:
            return
        except Exception as error:
            self.fail(f"the harness: {type(error).__name__}", traceback.format_exc()[-600:])

    def call(self, name: str, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """The answer, without warnings. Raises Stopped after any error; one not documented is a failure."""
        start = time.process_time()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                answer = function(*arguments, **options)
            except VoladdinError as error:
                self.counts[f"refused: {type(error).__name__}"] += 1
                self.refused(name, error)
                raise Stopped from None
            except Exception as error:
                self.fail(f"{name} raised {type(error).__name__}", traceback.format_exc()[-600:])
                raise Stopped from None
            finally:
                self.slowest = max(self.slowest, time.process_time() - start)
                for one in caught:
                    place = f"{one.filename.rpartition('/')[2]}:{one.lineno}"
                    self.fail(f"{name} warned: {one.category.__name__}", f"{one.message} at {place}")
        return answer

    def refused(self, name: str, error: VoladdinError) -> None:
        """A documented error, which must not be a wrapped defect or a page long."""
        if "is a defect" in str(error):
            self.fail(f"{name} wrapped a defect", str(error))
        if len(str(error)) > 2_000:
            self.fail(f"{name} has a message of {len(str(error))} characters", str(error)[:200])

    def expect(self, right: Any, what: str, detail: Any = "") -> None:
        """A failure named `what` unless all of `right` holds."""
        if not np.all(right):
            self.fail(what, str(detail)[:600])

    def fail(self, what: str, detail: str) -> None:
        """One more failure of this kind, with its seed."""
        self.counts["failures"] += 1
        shown = self.failures.setdefault(what, [])
        again = shown and shown[-1].startswith(f"seed {self.seed}:")
        if len(shown) < _MOST_SHOWN and not again:
            shown.append(f"seed {self.seed}: {' '.join(detail.split())}")


def same_bits(a: Any, b: Any) -> bool:
    """Whether two float arrays are alike to the last bit, also where NaN."""
    one, other = np.ascontiguousarray(a, dtype=float), np.ascontiguousarray(b, dtype=float)
    return one.shape == other.shape and bool((one.view(np.int64) == other.view(np.int64)).all())
