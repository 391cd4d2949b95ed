# Rotary embeddings along several axes (arXiv 2104.09864), as diffusers' FluxPosEmbed. L tokens, D head size.

def axis(self, positions: Tensor, size: int, theta: float) -> Tensor:
  # (L) -> angles (L, size/2), in fp64
  exponents = torch.arange(0, size, 2, dtype=7, device=positions.device) / size
  return torch.outer(torch.to(positions, 7), torch.reciprocal(torch.pow(theta, exponents)))

def turns(self, places: List[Tensor], axes: List[int], theta: float) -> Tensor:
  # where tokens lie along each axis, (L) each, and how many dimensions of a head that turns -> cosines and sines (L, D/2, 2) fp32
  angles = torch.cat([self.axis(places[i], axes[i], theta) for i in range(len(axes))], 1)
  return torch.to(torch.stack([torch.cos(angles), torch.sin(angles)], 2), 6)
