"""How a network's size and training are chosen: held-out blocks of time, the bound, errors, a search."""
