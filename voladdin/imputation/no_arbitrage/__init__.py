"""Filled cells moved to where they add no static arbitrage to the quotes."""
