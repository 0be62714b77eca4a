"""Names of `export.bench.truth`, for tests."""

from export.bench.random_grids import compare, random_surface
from export.bench.truth import TOLERANCE, least_slack, prices

__all__ = ["TOLERANCE", "compare", "least_slack", "prices", "random_surface"]
