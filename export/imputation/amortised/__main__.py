"""`python -m export.imputation.amortised`."""

from .training import main

raise SystemExit(main())
