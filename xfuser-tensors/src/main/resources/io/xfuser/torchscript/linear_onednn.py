# Matrix products through oneDNN, fused with what follows them, of factors of one type. oneDNN's fp16 needs instructions
# that few CPUs have, and CUDA has no such operator: both take the plain ones.

def product(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  # x (..., I), weight (O, I), bias none or (O) -> (..., O); a share of a layer may have no heads, which oneDNN refuses
  if x.is_cpu and x.dtype != 5 and weight.numel() > 0:
    return self.pointwise(x, weight, bias, "none", "")
  return self.plain_product(x, weight, bias)

def product_gelu_tanh(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  # gelu_tanh(x·weightᵀ + bias)
  if x.is_cpu and x.dtype != 5:
    return self.pointwise(x, weight, bias, "gelu", "tanh")
  return self.plain_gelu_tanh(x, weight, bias)

def product_add(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], y: Tensor, own: bool) -> Tensor:
  # x·weightᵀ + bias + y, in the place of y if that is the caller's own and it is faster
  if x.is_cpu and x.dtype != 5 and weight.numel() > 0:
    rows = self.rows_to_reach(x, weight)
    if rows == 0:
      return ops.mkldnn._linear_pointwise(x, y, weight, bias, "add")
    more = ops.mkldnn._linear_pointwise(self.with_rows(x, rows), self.with_rows(y, rows), weight, bias, "add")
    return self.without_rows(more, x)
  return self.plain_add(x, weight, bias, y, own)

def pointwise(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], kind: str, how: str) -> Tensor:
  # what oneDNN makes of x·weightᵀ + bias
  rows = self.rows_to_reach(x, weight)
  none = annotate(List[Optional[number]], [])
  if rows == 0:
    return ops.mkldnn._linear_pointwise(x, weight, bias, kind, none, how)
  return self.without_rows(ops.mkldnn._linear_pointwise(self.with_rows(x, rows), weight, bias, kind, none, how), x)

def rows_to_reach(self, x: Tensor, weight: Tensor) -> int:
  # With AVX2 oneDNN does not pack fp32 factors of which 1/rows + 1/outputs is 0.0038 or more, which takes a sixth longer per
  # row. So many rows are packed, if x has an eighth less at the most; else 0.
  outputs = weight.size(0)
  if x.dtype != 6 or outputs < 1024 or not self.packs_many_rows():
    return 0
  rows, enough = x.numel() // x.size(-1), (int(1. / (0.0038 - 1. / outputs)) // 8 + 1) * 8
  return enough if rows < enough and rows * 8 >= enough * 7 else 0

def multiplies_into(self, x: Tensor, weight: Tensor, y: Tensor) -> bool:
  # whether product_there is quicker than product: MKL is where oneDNN does not pack factors of some hundred rows (decision 0084)
  if not x.is_cpu or x.numel() == 0 or x.dtype != 6 or y.dtype != 6:
    return False
  if not self.packs_many_rows() or not self.has_mkl():
    return False
  rows, outputs = x.numel() // x.size(-1), weight.size(0)
  unpacked = rows >= 192 and outputs >= 256 and 1. / rows + 1. / outputs >= 0.0038
  return unpacked and self.rows_to_reach(x, weight) == 0

def product_there(self, x: Tensor, weight: Tensor, gelu: bool, y: Tensor) -> Tensor:
  # x·weightᵀ, or gelu_tanh of it, in y (..., O), some columns of a matrix
  rows, place = x.reshape([-1, x.size(-1)]), torch.flatten(y, 0, -2)
  if not gelu:
    return self.product_into(rows, weight, None, place)
  made = torch.empty([rows.size(0), weight.size(0)], dtype=x.dtype, device=x.device)
  return torch.gelu(self.product_into(rows, weight, None, made), approximate="tanh", out=place)

def with_rows(self, x: Tensor, rows: int) -> Tensor:
  # x (..., I) -> (rows, I), zeros behind
  own = x.numel() // x.size(-1)
  y = torch.empty([rows, x.size(-1)], dtype=x.dtype, device=x.device)
  y.slice(0, 0, own).view(x.size()).copy_(x)
  y.slice(0, own, rows).zero_()
  return y

def without_rows(self, y: Tensor, x: Tensor) -> Tensor:
  # of y (rows, O) what is made of x (..., I) -> (..., O)
  shape = x.size()
  shape[-1] = y.size(1)
  return y.slice(0, 0, x.numel() // x.size(-1)).view(shape)
