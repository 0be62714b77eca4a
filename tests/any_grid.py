"""Grids of any size and axis: a desk's vols and holes, and one in five hostile."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

TENORS = st.lists(st.floats(1 / 365, 30.0), min_size=1, max_size=7, unique=True).map(sorted)
DELTAS = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=6, unique=True).map(sorted)
MONEYNESS = st.lists(st.floats(-0.8, 0.8), min_size=1, max_size=6, unique=True).map(sorted)
VOL = st.one_of(st.just(float("nan")), st.floats(0.005, 3.0), st.floats(-1.0, 1e6), st.just(float("inf")))


@st.composite
def grids(draw: st.DrawFn) -> tuple[np.ndarray, dict[str, object]]:
    tenors = draw(TENORS)
    axis, places = draw(st.sampled_from(["deltas", "moneyness"])), None
    places = draw(DELTAS if axis == "deltas" else MONEYNESS)
    cells = len(tenors) * len(places)
    wild = draw(st.integers(0, 4)) == 0  # or most would be refused
    vol = VOL if wild else st.one_of(st.just(float("nan")), st.floats(0.02, 0.6))
    vols = draw(st.lists(vol, min_size=cells, max_size=cells))
    return np.array(vols).reshape(len(tenors), -1), {"tenors": tenors, axis: places}
