def cast(self, x: Tensor, dtype: int) -> Tensor:
  return torch.to(x, dtype)

def empty(self, shape: List[int], dtype: int) -> Tensor:
  return torch.empty(shape, dtype=dtype, device=torch.device("cpu"))

def empty_on(self, shape: List[int], dtype: int, device: str) -> Tensor:
  return torch.empty(shape, dtype=dtype, device=torch.device(device))

def view(self, x: Tensor, shape: List[int]) -> Tensor:
  return x.view(shape)

def contiguous(self, x: Tensor) -> Tensor:
  return torch.contiguous(x)

def flat(self, x: Tensor) -> Tensor:
  return x.view([-1])

def concat(self, xs: List[Tensor], dim: int) -> Tensor:
  return torch.cat(xs, dim)

def slice(self, x: Tensor, dim: int, start: int, end: int) -> Tensor:
  return torch.slice(x, dim, start, end)

def copy(self, x: Tensor) -> Tensor:
  return torch.clone(x, memory_format=0)

def zeros_like(self, x: Tensor) -> Tensor:
  return torch.zeros_like(x)

def rows(self, x: Tensor, rows: List[int]) -> Tensor:
  return torch.index_select(x, 0, torch.tensor(rows, dtype=4, device=x.device))

def to_device(self, x: Tensor, device: str) -> Tensor:
  return torch.to(x, torch.device(device), x.dtype)

def on_gpu(self, x: Tensor) -> int:
  # whether x is on a GPU; DJL cannot tell of a tensor without memory
  return int(x.is_cuda)

def multiplied_as(self, dtype: int) -> int:
  # the type in which the CPU multiplies tensors of dtype
  return self.product_type(torch.empty([0], dtype=dtype, device=torch.device("cpu")))
