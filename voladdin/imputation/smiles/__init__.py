"""The surface between its nodes: smiles as functions of the strike, and of the tenor."""
