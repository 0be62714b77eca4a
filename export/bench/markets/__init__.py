"""`voladdin bench markets`: any market, any grid, against what a desk would use without a history."""
