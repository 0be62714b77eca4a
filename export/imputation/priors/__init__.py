"""Training of the universal model: priors on the surfaces of any market, through the conditioning."""
