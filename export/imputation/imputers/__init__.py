"""What a trained network says of hidden nodes, by the ways of the literature: one file and one line each.

IMPUTERS[name] draws codes of what is seen; `impute` makes vols of them, whichever way they were drawn.
"""

from __future__ import annotations

from .codes import Codes, Imputer
from .completion import Completed, Imputed, completed, impute
from .encoder import of_encoder, weighted
from .gibbs import metropolis_within_gibbs, pseudo_gibbs
from .laplace import of_laplace
from .optimised import nearest
from .refit import Refit, refitted

IMPUTERS: dict[str, Imputer] = {
    "importance sampling": Imputer(weighted),
    "importance sampling, encoder refitted": Imputer(weighted, refits=True),
    "pseudo-Gibbs": Imputer(pseudo_gibbs),
    "Metropolis within Gibbs": Imputer(metropolis_within_gibbs),
    "latent optimisation": Imputer(nearest),
    "completion": Imputer(of_encoder),
    "Laplace": Imputer(of_laplace),
}

__all__ = [
    "IMPUTERS",
    "Codes",
    "Completed",
    "Imputed",
    "Imputer",
    "Refit",
    "completed",
    "impute",
    "refitted",
]
