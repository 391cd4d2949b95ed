"""Muon: momentum whose update is made orthogonal (Jordan et al. 2024, "Muon: an optimizer for hidden layers")."""

import math

import torch

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic that pushes singular values towards 1
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """For convolutions: a weight (out, in, h, w) is taken as the matrix (out, in * h * w)."""

    def __init__(self, weights: list[torch.nn.Parameter], rate: float, momentum: float = 0.9) -> None:
        super().__init__(weights, {"lr": rate, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for weight in group["params"]:
                kept = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                kept.lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(kept, group["momentum"])  # Nesterov
                update = orthogonal(ahead.flatten(1))
                # 0.2 sqrt(max(rows, columns)) gives the update the size of Adam's (arXiv 2502.16982, eq. 4).
                weight.add_(update.view_as(weight), alpha=-group["lr"] * 0.2 * math.sqrt(max(update.shape)))


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """The nearest half-orthogonal matrix, roughly, by Newton-Schulz iterations in bf16."""
    wide = matrix.bfloat16()
    tall = wide.shape[0] > wide.shape[1]
    if tall:
        wide = wide.mT
    wide = wide / (wide.norm() + 1e-7)
    a, b, c = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        gram = wide @ wide.mT
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return (wide.mT if tall else wide).to(matrix.dtype)
