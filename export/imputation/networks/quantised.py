"""The vector-quantised VAE (van den Oord et al. 2017), and of two levels (VQ-VAE-2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .base import WIDTH, Code, Network, masked, mlp
from .noise import Shared

WORDS, SLOTS, SIZE, COMMITMENT = 32, 4, 4, 0.25


class Codebook(nn.Module):
    """Words [n, s] that codes are rounded to, with the gradient passed straight through."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Parameter(torch.randn(WORDS, SIZE) * 0.5)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The nearest words [B, slots * size], and [B] what training pays for the rounding."""
        parts = z.view(len(z), -1, SIZE)
        words = self.words[torch.cdist(parts, self.words.expand(len(z), -1, -1)).argmin(-1)].view_as(z)
        cost = (words - z.detach()).square().sum(-1) + COMMITMENT * (words.detach() - z).square().sum(-1)
        return z + (words - z).detach(), cost

    def draw(self, count: int, slots: int) -> Tensor:
        """[count, slots * size] words, all as likely."""
        return self.words[torch.randint(WORDS, (count, slots))].flatten(1)


class Quantised(Network):
    """Each of `SLOTS` parts of the code is one of `WORDS` words, all as likely beforehand.

    Its bound is the log density given the words less ln(words) a slot; the cost of rounding is training's.
    """

    def __init__(self, nodes: int) -> None:
        super().__init__()
        self.encoder = mlp([2 * nodes, WIDTH, SLOTS * SIZE])
        self.decoder = mlp([SLOTS * SIZE, WIDTH, nodes])
        self.book, self.noise = Codebook(), Shared()

    def encode(self, x: Tensor, seen: Tensor) -> Code:
        words, _ = self.book(self.encoder(masked(x, seen)))
        return Code(words, torch.ones_like(words))

    def decode(self, z: Tensor) -> Tensor:
        mean: Tensor = self.decoder(z)
        return mean

    def elbo(self, x: Tensor, seen: Tensor) -> Tensor:
        words, cost = self.book(self.encoder(masked(x, seen)))
        likelihood = self.noise.log_density(x, self.decode(words), seen, words)
        return likelihood - SLOTS * math.log(WORDS) - (cost if self.training else 0.0)

    def sample(self, count: int) -> Tensor:
        z = self.book.draw(count, SLOTS)
        return self.noise.draw(self.decode(z), z)


class QuantisedTwice(Quantised):
    """VQ-VAE-2 (Razavi, van den Oord and Vinyals 2019): a top code, and a bottom one that knows it."""

    def __init__(self, nodes: int) -> None:
        super().__init__(nodes)
        self.bottom = mlp([2 * nodes + SLOTS * SIZE, WIDTH, SLOTS * SIZE])
        self.decoder = mlp([2 * SLOTS * SIZE, WIDTH, nodes])
        self.lower = Codebook()

    def _words(self, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        entry = masked(x, seen)
        top, cost = self.book(self.encoder(entry))
        low, more = self.lower(self.bottom(torch.cat([entry, top], -1)))
        return torch.cat([top, low], -1), cost + more

    def encode(self, x: Tensor, seen: Tensor) -> Code:
        words, _ = self._words(x, seen)
        return Code(words, torch.ones_like(words))

    def elbo(self, x: Tensor, seen: Tensor) -> Tensor:
        words, cost = self._words(x, seen)
        likelihood = self.noise.log_density(x, self.decode(words), seen, words)
        return likelihood - 2 * SLOTS * math.log(WORDS) - (cost if self.training else 0.0)

    def sample(self, count: int) -> Tensor:
        z = torch.cat([self.book.draw(count, SLOTS), self.lower.draw(count, SLOTS)], -1)
        return self.noise.draw(self.decode(z), z)
