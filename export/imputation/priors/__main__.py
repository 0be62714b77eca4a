"""`python -m export.imputation.priors`."""

from .training import main

raise SystemExit(main())
