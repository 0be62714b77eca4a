"""`python -m export.imputation.priors`."""

from .train import main

raise SystemExit(main())
