"""Batches that follow from the number of a step, so that training resumes where it stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from export.history import Days
from export.imputation.priors.mixture import Padded, padded
from export.imputation.priors.samples import Sample, samples

BATCH, POOLED = 20, 16  # POOLED batches are sorted by size together: little padding


@dataclass(frozen=True)
class Source:
    """Where samples come from."""

    seed: int = 0
    exclude: Sequence[str] = ()
    pool: Path | None = None
    history: Days | None = None

    def batches(self, step: int) -> Iterator[Padded]:
        """Of step `step` on."""
        while True:
            block, first = divmod(step, POOLED)
            yield from self._block(block)[first:]
            step = (block + 1) * POOLED

    def _block(self, block: int) -> list[Padded]:
        rng = np.random.default_rng([self.seed, block])
        drawn = sorted(self.samples(int(rng.integers(2**62)), BATCH * POOLED), key=lambda s: s.count)
        order = rng.permutation(POOLED)
        return [padded(drawn[i * BATCH : (i + 1) * BATCH]) for i in order]

    def samples(self, seed: int, count: int) -> list[Sample]:
        """The first `count` of a seed."""
        drawn = samples(seed, exclude=self.exclude, pool=self.pool, history=self.history)
        return list(islice(drawn, count))
