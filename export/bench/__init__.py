"""Benchmarks: the same test surfaces, masks and scores for every method."""
