# Each function returns one tensor, of the dtype and the shape that it is given, made on the device that it is given.

def normal(self, shape: List[int], dtype: int, device: str, seed: int, mean: float, deviation: float) -> Tensor:
  generator = torch.Generator(device=torch.device(device), seed=seed)
  x = torch.randn(shape, generator=generator, dtype=dtype, device=torch.device(device))
  return torch.add_(torch.mul_(x, deviation), mean)

def ones(self, shape: List[int], dtype: int, device: str) -> Tensor:
  return torch.ones(shape, dtype=dtype, device=torch.device(device))
