def guide(self, negative: Tensor, positive: Tensor, scale: float) -> Tensor:
  return negative + scale * (positive - negative)

def draw(self, shape: List[int], dtype: int, seed: int, given: bool, count: int, steps: int) -> List[Tensor]:
  # standard normal noise of one generator on the CPU, as torch.Generator("cpu").manual_seed(seed) gives: the first
  # sample's in dtype unless it is given, then `count` draws for steps in type `steps`
  generator = torch.Generator(device=torch.device("cpu"), seed=seed)
  draws = annotate(List[Tensor], [])
  if not given:
    draws.append(torch.randn(shape, generator=generator, dtype=dtype, device=torch.device("cpu")))
  for i in range(count):
    draws.append(torch.randn(shape, generator=generator, dtype=steps, device=torch.device("cpu")))
  return draws

def scale(self, x: Tensor, factor: float) -> Tensor:
  return x * factor

def sums(self, x: Tensor, y: Tensor) -> Tensor:
  # x and y (B, L, c) -> (2, B) in fp32
  return torch.stack([torch.to(x, 6).sum([1, 2]), torch.to(y, 6).sum([1, 2])])

def squares(self, x: Tensor, y: Tensor, means: Tensor) -> Tensor:
  # squared distances from the means (2, B), summed: (2, B)
  return self.sums((torch.to(x, 6) - means[0].view(-1, 1, 1)).square(), (torch.to(y, 6) - means[1].view(-1, 1, 1)).square())

def rescale(self, guided: Tensor, squares: Tensor, share: float) -> Tensor:
  # guided (B, L, c) towards the deviation of the other: squares (2, B) of the prediction with the prompt, and of guided
  factor = torch.sqrt(squares[0] / squares[1]) * share + (1 - share)
  return torch.to(torch.to(guided, 6) * factor.view(-1, 1, 1), guided.dtype)
