# Joined to each program with the calls of one of the other files here: `calls` runs every function of the program on
# tensors of the device of `like`, and gives what they give.

def of(self, like: Tensor, shape: List[int]) -> Tensor:
  return torch.ones(shape, dtype=6, device=like.device)

def all_of(self, like: Tensor, shapes: List[List[int]]) -> List[Tensor]:
  return [self.of(like, shape) for shape in shapes]

def places(self, like: Tensor, count: int) -> Tensor:
  # (count) of integers
  return torch.ones([count], dtype=4, device=like.device)

def strays(self, device: str) -> int:
  # how many results are on another device than the arguments
  like = self.of(torch.empty([1], dtype=6, device=torch.device(device)), [1])
  count = 0
  for x in self.calls(like):
    if x.device != like.device:
      count = count + 1
  return count
