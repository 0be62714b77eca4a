"""Benchmarks: the same test surfaces, masks and scores for every method.

Times are of one thread where OMP_NUM_THREADS=1 is set before Python starts; the tables say whether it was.
"""
