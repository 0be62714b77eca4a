"""How a network of `export.imputation.networks` is trained: one small file for each idea, `fit` for all."""
