"""Gopal (2024), "Filling in missing FX implied volatilities with uncertainties", arXiv 2411.05998."""
