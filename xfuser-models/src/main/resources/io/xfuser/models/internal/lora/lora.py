# What a LoRA adds to weights, in fp32. Shapes: O outputs, I inputs (those of a convolution with its kernel), R rank; n rows of O
# from row `at` on are changed. W is the file itself, so none of it is written to.

def replace_rows(self, w: Tensor, rows: Tensor, at: int) -> Tensor:
  # w (O, ...) with rows (n, ...) in the place of its own
  y = torch.clone(w)
  part = torch.narrow(y, 0, at, rows.size(0))
  part.copy_(rows.reshape(part.size()))
  return y

def rows_of(self, w: Tensor, at: int, n: int) -> Tensor:
  # (n, I)
  return torch.narrow(w, 0, at, n).reshape(n, -1)

def add_rows(self, w: Tensor, rows: Tensor, at: int, scale: float) -> Tensor:
  # w + scale·rows; rows (n, I), or fewer columns, which are the first
  before = self.rows_of(w, at, rows.size(0))
  more = rows.reshape(rows.size(0), -1) * scale
  if more.size(1) < before.size(1):
    more = torch.constant_pad_nd(more, [0, before.size(1) - more.size(1)], 0)
  return self.replace_rows(w, before + more, at)

def low_rank(self, up: Tensor, down: Tensor) -> Tensor:
  # up (n, R, ...), down (R, I, ...) -> (n, I)
  return self.matmul(up.reshape(up.size(0), -1), down.reshape(down.size(0), -1))

def hadamard(self, x: Tensor, y: Tensor) -> Tensor:
  return x * y

def kronecker(self, x: Tensor, y: Tensor) -> Tensor:
  # x (a, b), y (c, d) -> (a·c, b·d)
  return torch.kron(x, y)

def decompose(self, w: Tensor, rows: Tensor, magnitude: Tensor, at: int, scale: float, share: float) -> Tensor:
  # DoRA (arXiv 2402.09353, eq. 5): m·(W + scale·rows) / ‖W + scale·rows‖, the norms of rows for m (n) or (n, 1), of columns for
  # m (1, I); of the change only `share`
  n = rows.size(0)
  before = self.rows_of(w, at, n)
  after = before + rows * scale
  m = magnitude.reshape(n, 1) if magnitude.numel() == n else magnitude.reshape(1, -1)
  norm = torch.linalg_vector_norm(after, 2, [1 if m.size(1) == 1 else 0], True)
  return self.replace_rows(w, before + (after * (m / norm) - before) * share, at)
