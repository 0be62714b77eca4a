"""`voladdin bench impute` and `guard`: methods, splits and masks."""
