def random(self, tokens: int, seed: int) -> Tensor:
  # (2, tokens, 3, 7, 5)
  generator = torch.Generator(device=torch.device("cpu"), seed=seed)
  return torch.randn([2, tokens, 3, 7, 5], generator=generator, dtype=6, device=torch.device("cpu"))

def unfinished(self, text: int, tokens: int, rank: int) -> Tensor:
  # (2, text + tokens, 3, 7, 5) of a rank, its text and its other tokens, of which values alone are what they shall be
  packed = torch.cat([self.random(text, 10 + rank), self.random(tokens, 20 + rank)], 1)
  packed.slice(1, 0, text).mul_(0.5)
  packed.slice(1, text, text + tokens).slice(2, 0, 2).mul_(0.5)
  return packed

def finish(self, packed: Tensor, text: int) -> Tensor:
  packed.slice(1, 0, text).mul_(2)
  packed.slice(1, text, packed.size(1)).slice(2, 0, 2).mul_(2)
  return packed

def moved(self, tokens: int, rank: int, step: int, head: int) -> Tensor:
  # tokens of a rank (2, tokens, 3, 7, head) that change from step to step, some more than others
  generator = torch.Generator(device=torch.device("cpu"), seed=100 * rank + step)
  start = torch.Generator(device=torch.device("cpu"), seed=rank)
  shape, cpu = [2, tokens, 3, 7, head], torch.device("cpu")
  pace = torch.rand([2, tokens, 1, 1, 1], generator=generator, dtype=6, device=cpu)
  change = torch.randn(shape, generator=generator, dtype=6, device=cpu) * pace
  return torch.randn(shape, generator=start, dtype=6, device=cpu) + change

def undo(self, packed: Tensor) -> Tensor:
  # queries and keys that are not done
  return packed.slice(2, 0, 2).mul_(2)

def redo(self, packed: Tensor) -> Tensor:
  return packed.slice(2, 0, 2).mul_(0.5)
