def guide(self, negative: Tensor, positive: Tensor, scale: float) -> Tensor:
  return negative + scale * (positive - negative)

def draw(self, shape: List[int], dtype: int, seed: int, count: int) -> List[Tensor]:
  # standard normal noise: `count` draws of one generator on the CPU, as torch.Generator("cpu").manual_seed(seed) gives
  generator = torch.Generator(device=torch.device("cpu"), seed=seed)
  draws = annotate(List[Tensor], [])
  for i in range(count):
    draws.append(torch.randn(shape, generator=generator, dtype=dtype, device=torch.device("cpu")))
  return draws

def scale(self, x: Tensor, factor: float) -> Tensor:
  return x * factor

def repeat_rows(self, x: Tensor, rows: List[int]) -> Tensor:
  return torch.index_select(x, 0, torch.tensor(rows, dtype=4, device=x.device))
