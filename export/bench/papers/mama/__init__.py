"""Mama (2022), "Variational autoencoders for arbitrage-free implied volatility surfaces", Marex Solutions."""
