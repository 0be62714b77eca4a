"""`python -m export.generation`: trains a generator's bundle."""

from .train import main

if __name__ == "__main__":
    raise SystemExit(main())
