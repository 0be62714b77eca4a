"""The generator of surfaces: a conditional VAE p(x | features, z) with the features exact by construction."""
