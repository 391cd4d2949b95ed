def noise(self, shape: List[int], seed: int) -> Tensor:
  generator = torch.Generator(device=torch.device("cpu"), seed=seed)
  return torch.randn(shape, generator=generator, dtype=6, device=torch.device("cpu"))
