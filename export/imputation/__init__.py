"""The model that imputes: the density of history, the network, its training and validation."""
