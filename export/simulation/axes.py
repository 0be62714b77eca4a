"""The master grid, tenors in years by forward call deltas: of simulated surfaces and of the FX model."""

MASTER_TENORS = (1 / 365, 7 / 365, 14 / 365, 1 / 12, 2 / 12, 0.25, 0.5, 0.75, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0)
MASTER_DELTAS = (0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 0.65, 0.75, 0.85, 0.9, 0.95)
