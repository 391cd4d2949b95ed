# Joined to each program with the calls of one of the other files here: `calls` runs every function of the program on
# tensors of the device and the type of `like`, and gives what they give.

def of(self, like: Tensor, shape: List[int]) -> Tensor:
  return torch.ones(shape, dtype=like.dtype, device=like.device)

def exact(self, like: Tensor, shape: List[int]) -> Tensor:
  # what is in fp32 whatever the type of the run
  return torch.ones(shape, dtype=6, device=like.device)

def all_of(self, like: Tensor, shapes: List[List[int]]) -> List[Tensor]:
  return [self.of(like, shape) for shape in shapes]

def layers(self, like: Tensor, shapes: Dict[str, List[int]]) -> Dict[str, Tensor]:
  # linear layers of those names, with weights (O, I) and biases (O)
  w = annotate(Dict[str, Tensor], {})
  for name, shape in shapes.items():
    w[name + ".weight"] = self.of(like, shape)
    w[name + ".bias"] = self.of(like, shape[0:1])
  return w

def places(self, like: Tensor, count: int) -> Tensor:
  # (count) of integers
  return torch.ones([count], dtype=4, device=like.device)

def strays(self, device: str) -> int:
  # how many results are on another device than the arguments
  like = torch.ones([1], dtype=6, device=torch.device(device))
  count = 0
  for x in self.calls(like):
    if x.device != like.device:
      count = count + 1
  return count

def count(self, dtype: int) -> int:
  # how many results there are on a CPU in a type
  return len(self.calls(torch.ones([1], dtype=dtype, device=torch.device("cpu"))))
