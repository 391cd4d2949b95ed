def guide(self, negative: Tensor, positive: Tensor, scale: float) -> Tensor:
  return negative + scale * (positive - negative)

def guide_in_length(self, negative: Tensor, positive: Tensor, scale: float) -> Tensor:
  # (B, l, c), each token as long as with the prompt alone
  guided = self.guide(negative, positive, scale)
  kept = torch.linalg_vector_norm(positive, 2, [-1], True)
  return guided * (kept / torch.linalg_vector_norm(guided, 2, [-1], True))

def difference(self, positive: Tensor, without: Tensor) -> Tensor:
  return positive - without

def led(self, guided: Tensor, difference: Tensor, scale: float) -> Tensor:
  return guided + difference * scale

def draw(self, shape: List[int], dtype: int, seed: int, given: bool, around: List[int], steps: List[int],
         step_type: int) -> List[Tensor]:
  # standard normal noise of one generator on the CPU, as torch.Generator("cpu").manual_seed(seed) gives: around[0] draws of
  # one picture, the first sample's unless it is given, around[1] more of one picture, all in dtype; then of
  # each step, in step_type, the last of steps[i] draws
  generator = torch.Generator(device=torch.device("cpu"), seed=seed)
  one = [1] + shape[1:]
  draws = annotate(List[Tensor], [])
  for i in range(around[0]):
    draws.append(torch.randn(one, generator=generator, dtype=dtype, device=torch.device("cpu")))
  if not given:
    draws.append(torch.randn(shape, generator=generator, dtype=dtype, device=torch.device("cpu")))
  for i in range(around[1]):
    draws.append(torch.randn(one, generator=generator, dtype=dtype, device=torch.device("cpu")))
  for count in steps:
    noise = torch.empty(shape, dtype=step_type, device=torch.device("cpu"))
    for i in range(count):
      noise.normal_(0., 1., generator=generator)
    draws.append(noise)
  return draws

def keep(self, x: Tensor, kept: Tensor, mask: Tensor) -> Tensor:
  # x (B, l, c) where mask (1, l, c) is 1, kept (1 or B, l, c) where it is 0
  return (1 - mask) * kept + mask * x

def beside(self, x: Tensor, more: Tensor) -> Tensor:
  # x (B, l, c), more (1 or B, l, e) -> (B, l, c + e)
  return torch.cat([x, more.expand([x.size(0), -1, -1])], 2)

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

def lengths(self, x: Tensor, y: Tensor) -> Tensor:
  # their squares, over all tokens that are here: (2, B)
  return self.sums(torch.to(x, 6).square(), torch.to(y, 6).square())

def shorten(self, guided: Tensor, squares: Tensor, longest: float) -> Tensor:
  # guided (B, L, c), at most so many times as long as the other: squares (2, B) of the prediction with the prompt, of guided
  factor = torch.clamp(torch.sqrt(squares[0] / squares[1]) * longest, None, 1)
  return torch.to(torch.to(guided, 6) * factor.view(-1, 1, 1), guided.dtype)

def change(self, x: Tensor, before: Tensor) -> Tensor:
  # of the same shape -> the sums of |x - before| and |before|, (2) in fp32
  b = torch.to(before, 6)
  sums = [torch.linalg_vector_norm(torch.to(x, 6) - b, 1, None, False, dtype=7), torch.linalg_vector_norm(b, 1, None, False, dtype=7)]
  return torch.to(torch.stack(sums), 6)

def numbers(self, x: Tensor) -> Tensor:
  # x with 0 in the place of what is infinite or no number
  return torch.where((x - x) == 0, x, torch.zeros_like(x))

def plus(self, x: Tensor, y: Tensor) -> Tensor:
  return x + y

def slope(self, x: Tensor, before: Tensor, steps: float) -> Tensor:
  return (x - before) / steps

def line(self, x: Tensor, slope: Tensor, steps: float) -> Tensor:
  return x + slope * steps

def moved(self, prediction: Tensor, now: Tensor, then: Tensor) -> Tensor:
  # prediction (B, d, c) for latents then, for latents now
  return torch.to(now + (prediction - then), prediction.dtype)
