"""The rivals, each behind `export.bench.methods.Method`."""

from .gaussian import DailyChangeGaussian, Gaussian, LocalGaussian
from .simple import LinearVariance, ThinPlate, Yesterday

__all__ = ["DailyChangeGaussian", "Gaussian", "LinearVariance", "LocalGaussian", "ThinPlate", "Yesterday"]
