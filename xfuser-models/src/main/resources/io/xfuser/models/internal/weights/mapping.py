def map_file(self, path: str, size: int) -> Tensor:
  # the bytes of a file, (size); private: a write would not reach the file
  return torch.from_file(path, False, size, dtype=0, device=torch.device("cpu"))

def view(self, file: Tensor, offset: int, shape: List[int], dtype: int) -> Tensor:
  # offset counts elements of dtype from the start of the file; shares the mapping and keeps it alive
  strides = annotate(List[int], [])
  stride = 1
  for i in range(len(shape)):
    strides.append(stride)
    stride = stride * shape[len(shape) - 1 - i]
  strides.reverse()
  return ops.aten.set_(torch.empty([0], dtype=dtype, device=file.device), file, offset, shape, strides)

def copy(self, file: Tensor, offset: int, bytes: int, shape: List[int], dtype: int) -> Tensor:
  # the same at any byte offset, in new memory, because elements in memory must be aligned
  return self.view(torch.clone(torch.narrow(file, 0, offset, bytes)), 0, shape, dtype)

def promised(self, shape: List[int], dtype: int) -> Tensor:
  # the shape of a tensor without its memory
  return torch.empty(shape, dtype=dtype, device=torch.device("meta"))

def identity(self, size: int, dtype: int) -> Tensor:
  return torch.eye(size, dtype=dtype, device=torch.device("cpu"))
