"""Surfaces of SVI smiles fitted to the quotes, alone or with a process of what they leave."""
