"""A history's own model: regimes, the deep model, and what they say of the cells of a surface."""
