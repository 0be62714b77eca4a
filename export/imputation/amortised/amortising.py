"""Set encoder, pointwise decoder, and the process of what these leave, trained as one.

    y_i = m(z; t_i, u_i) + delta(t_i, u_i),   (z, psi) = encoder({(t_i, u_i, y_i)}),   delta ~ process(psi)

The process is the universal model's own (`export.imputation.priors.mixture.Priors`): a few candidates, whose
hyper-parameters, sizes of trends and odds psi moves for each surface. It conditions on the quotes exactly, so
quotes are reproduced whatever the network says. The encoder is a transformer without positions (Garnelo et
al. 2018 with attention, Kim et al. 2019); its heads and the decoder's last layer are zero at the start, where
the model is the process with a learned prior on the kernel alone.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from export.imputation.priors.mixture import Padded, Priors
from voladdin.imputation.processes.process import HYPERPARAMETERS, LOGARITHMS, TRENDS

QUOTES = 72  # that the encoder reads at most
WIDTH, LAYERS, HEADS, CODE = 64, 2, 4, 16
SCALE = 0.2  # of log-vols
_MOST_MOVE, _MOST_GROWTH = 2.0, 0.3  # of logarithms, of growths
_MOVED = len(HYPERPARAMETERS) - 1  # all but the odds


class Encoder(nn.Module):
    """Quotes as a set: z [B, 16] and psi [B, hyper-parameters - 1 + 9 + G], in bounds."""

    most: Tensor

    def __init__(self, candidates: int) -> None:
        super().__init__()
        self.quote = nn.Sequential(nn.Linear(10, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH))
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 2 * WIDTH, 0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.mix = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.pool = nn.Sequential(nn.Linear(2 * WIDTH + 1, 2 * WIDTH), nn.GELU())
        self.latent = nn.Linear(2 * WIDTH, CODE)
        self.kernel = nn.Linear(2 * WIDTH, _MOVED + TRENDS + candidates)
        nn.init.zeros_(self.kernel.weight)
        nn.init.zeros_(self.kernel.bias)
        growths = [name.split("_")[-1] not in LOGARITHMS for name in HYPERPARAMETERS[:_MOVED]]
        most = [_MOST_GROWTH if growth else _MOST_MOVE for growth in growths]
        self.register_buffer("most", torch.tensor([*most, *[_MOST_MOVE] * (TRENDS + candidates)]))

    def forward(self, quotes: Tensor) -> tuple[Tensor, Tensor]:
        """quotes: [B, 4 * N], rows t, u, y and own (1 or 0; -1 where there is no quote)."""
        t, u, y, own = quotes.unflatten(1, (4, -1)).unbind(1)
        known = own >= 0.0
        features = torch.cat([places(t, u, own), y[..., None] / SCALE, (u * y)[..., None] / SCALE], -1)
        tokens = self.mix(self.quote(features), src_key_padding_mask=~known)
        seen = known.to(tokens.dtype)[..., None]
        count = seen.sum(1)
        most = torch.where(known[..., None], tokens, torch.full_like(tokens, -1e4)).amax(1)
        whole = torch.cat([(tokens * seen).sum(1) / count, most, torch.log(count) / 4.0], -1)
        hidden = self.pool(whole)
        return self.latent(hidden), self.most * torch.tanh(self.kernel(hidden) / self.most)


class Decoder(nn.Module):
    """The mean at one point of each of P surfaces, [P], for z [P, 16] and points [P, 3] of t, u and own."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(CODE + 8, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH), nn.GELU()
        )
        self.head = nn.Linear(WIDTH, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, code: Tensor, point: Tensor) -> Tensor:
        where = places(*point.unbind(-1))
        mean: Tensor = SCALE * self.head(self.body(torch.cat([code, where], -1)))[..., 0]
        return mean


def places(t: Tensor, u: Tensor, own: Tensor) -> Tensor:
    """[..., 8] of a point, of order 1."""
    smile = torch.sqrt(1.0 + u * u) - 1.0
    steep = torch.clamp(torch.exp(-0.5 * (t + 1.0)) / 4.0, max=4.0)
    both, late = t * u / 4.0, torch.exp(t / 2.0) / 2.0
    return torch.stack([t / 2.0, u / 2.0, smile / 2.0, both, torch.tanh(u), late, u * steep, own], -1)


class Amortised(nn.Module):
    """Encoder, decoder and the process; alone: the process without the network, the control."""

    def __init__(self, candidates: Priors, *, alone: bool = False) -> None:
        super().__init__()
        self.process, self.alone = candidates, alone
        self.encoder, self.decoder = Encoder(len(candidates.trend)), Decoder()

    def forward(self, at: Padded) -> tuple[Tensor, Tensor]:
        """Mean and variance [B, hidden] of what is hidden, given the quotes."""
        if self.alone:
            return self.process(at)  # type: ignore[no-any-return]
        code, kernel = self.encoder(as_set(at))
        seen, ahead = self.means(at, code)
        left = replace(at, y=at.y - seen)
        mean, variance = functional_call(self.process, self.moved(kernel.double()), (left,))
        return mean + ahead, variance

    def means(self, at: Padded, code: Tensor) -> tuple[Tensor, Tensor]:
        """What the decoder says at quotes [B, N] and at hidden cells [B, M], for z [B, 16]."""
        own = at.own.float()
        return self._mean(code, at.t, at.u, own), self._mean(code, at.hidden_t, at.hidden_u, own)

    def _mean(self, code: Tensor, t: Tensor, u: Tensor, own: Tensor) -> Tensor:
        """[B, N]."""
        point = torch.stack([t.float(), u.float(), own[:, None].expand(t.shape)], -1)
        whole = self.decoder(code[:, None].expand(*t.shape, CODE).flatten(0, 1), point.flatten(0, 1))
        return whole.reshape(t.shape).double()  # type: ignore[no-any-return]

    def moved(self, kernel: Tensor) -> dict[str, Tensor]:
        """The candidates' hyper [B, G, h] and roots [B, G, 9, 9] by psi [B, p]."""
        hyper, sizes, odds = kernel.split([_MOVED, TRENDS, kernel.shape[1] - _MOVED - TRENDS], 1)
        both = torch.cat([hyper[:, None].expand(-1, odds.shape[1], -1), odds[..., None]], -1)
        roots = torch.tril(self.process.root) * torch.exp(sizes)[:, None, :, None]
        return {"hyper": self.process.hyper + both, "root": roots}


def as_set(at: Padded) -> Tensor:
    """[B, 4 * N] float32 for the encoder."""
    own = torch.where(at.quoted, at.own[:, None].double(), -1.0)
    return torch.stack([at.t, at.u, at.y, own], 1).flatten(1).float()


def likeliest(priors: Priors, batches: list[Padded], count: int) -> Priors:
    """The `count` candidates of most weight over surfaces of batches, their odds as they are."""
    with torch.no_grad():
        weight = torch.cat([priors.components(batch)[0] for batch in batches]).mean(0)
    chosen = weight.argsort(descending=True)[:count].sort()[0].numpy()
    arrays = priors.arrays()
    kept = {name: value if name == "tempering" else value[chosen] for name, value in arrays.items()}
    return Priors(0, count, min(1, count), 0).start_from(kept)
