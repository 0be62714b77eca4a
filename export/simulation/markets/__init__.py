"""A family of markets: endless simulated surfaces, quoted and holed as on a desk.

from export.simulation.markets import FAMILIES, MASKS, stream

for batch in stream(seed=1, exclude=("sabr",), size=64):   # endless, reproducible
    batch.family, batch.grid                  # str; grid: "deltas", "moneyness" or "listed"
    batch.years                               # [n, T] ascending, other for each surface
    batch.moneyness, batch.deltas             # [n, T, K] ln(K/F); exact forward call deltas N(d1)
    batch.mid[i][batch.shown[i]]              # the quotes that are shown (noise and all)
    batch.vols[i][batch.hidden[i]]            # the truth where quotes are hidden; .mid has it with noise
    batch.bid, batch.ask                      # [n, T, K], NaN on surfaces quoted as mids
    batch.listed                              # False: padding of ragged chains, to be ignored
    batch.masks                               # [n] which of MASKS each surface is under
    batch.truth.vols(years, moneyness)        # the truth anywhere: [n, T], [n, T, K] -> [n, T, K]
"""

from .masks import MASKS, UNSEEN_MASKS, hide
from .pool import TABLED, build_pool
from .streaming import FAMILIES, Batch, draw_batch, draw_truth, stream

__all__ = [
    "FAMILIES",
    "MASKS",
    "TABLED",
    "UNSEEN_MASKS",
    "Batch",
    "build_pool",
    "draw_batch",
    "draw_truth",
    "hide",
    "stream",
]
