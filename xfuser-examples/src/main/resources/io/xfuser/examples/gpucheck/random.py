# Each function returns one tensor, of the dtype and the shape that it is given, made on the device that it is given.

def normal(self, shape: List[int], dtype: int, seed: int, mean: float, deviation: float) -> Tensor:
  # on the CPU
  generator = torch.Generator(device=torch.device("cpu"), seed=seed)
  x = torch.randn(shape, generator=generator, dtype=dtype, device=torch.device("cpu"))
  return torch.add_(torch.mul_(x, deviation), mean)

def normal_on(self, shape: List[int], dtype: int, device: str, seed: int, mean: float, deviation: float) -> Tensor:
  # TorchScript has no generators for CUDA: this seeds and uses the process's own, so one thread at a time may call it
  torch.manual_seed(seed)
  x = torch.randn(shape, dtype=dtype, device=torch.device(device))
  return torch.add_(torch.mul_(x, deviation), mean)

def ones(self, shape: List[int], dtype: int, device: str) -> Tensor:
  return torch.ones(shape, dtype=dtype, device=torch.device(device))
