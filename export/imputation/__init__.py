"""Models that impute.

Of a history: `train`, by `density`, `extension`, `network`, `loop` and `validate`. Of any market:
`priors`, and `amortised` beside. Of the literature: `networks`, their `training`, `imputers` and `selection`.
"""
