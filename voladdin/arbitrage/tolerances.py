"""The sizes below which a trade, a price or a vol does not count, and why. Prices are forward-normalised."""

TOLERANCE = 1e-10  # of a trade: a millionth of a bp of forward; prices are good to 1e-15, hulls to 1e-13
LEAST_TOLERANCE = 1e-12  # that a caller may ask for: below, a trade is the rounding of its prices
EDGE = 2e-13  # about a tolerance: strikes of 14 equal digits are one, so trades are good to that
STRICT = 1 - 1e-3  # of the tolerance, for results that `check` must pass after their vols are rounded

INNER = 0.01  # of the tolerance: what programs leave, so that `check` finds nothing at their solution,
INNER_LEAST = 1e-13  # at least this: rounding
INNER_MOST = 1e-11  # at most this: a vol that the slack would move by 1e-4 bp
FORGIVEN = 1 / 500  # of the tolerance, for each condition: neighbours' gains add up along a smile

QUOTE_SLACK = 8e-11  # what quotes may be off by beside filled cells: those at the very edge leave room too;
FILL_AIM = 1e-11  # with this, what a filled cell may be off by, still less than the tolerance

ROUNDING = 1e-14  # of a hull: prices that differ by less are on it
ON_HULL = 2e-15  # where Newton's steps onto a hull end: the rounding of one price
FITS = 1e-12  # a quote beside less doubtful ones: those are then not at the very edge
LEAST_LEG = 1e-12  # share of a call bought; less is the rounding of its strike

LEAST_VOL = 1e-6  # 0.0001%: a `Surface` has none of 0, and no market one below
LEAST_TIME_VALUE = 1e-13  # of a price that moved, as a vol of 0 is none
FLAT_VEGA = 1e-6  # below, 1 bp of vol moves the price by no more than the tolerance
