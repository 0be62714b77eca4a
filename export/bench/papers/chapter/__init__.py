"""The evaluation of a textbook's chapter on VAEs: reconstruction, generation, latents, disentanglement."""
