"""Learned Gaussian-process priors for any market, conditioned exactly on the quotes."""
