# Matrix products through oneDNN, fused with what follows them. oneDNN refuses half precision on CPUs without
# instructions for it, and CUDA has no such operator: both take the plain ones.

def fuses(self, x: Tensor) -> bool:
  return x.is_cpu and (x.dtype == 6 or (x.dtype == 15 and not self.widens_bfloat16()))

def product(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
  # x (..., I), weight (O, I), bias (O) -> (..., O)
  if self.fuses(x):
    return ops.mkldnn._linear_pointwise(x, weight, bias, "none", annotate(List[Optional[number]], []), "")
  return torch.linear(x, weight, bias)

def product_gelu_tanh(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
  # gelu_tanh(x·weightᵀ + bias)
  if self.fuses(x):
    return ops.mkldnn._linear_pointwise(x, weight, bias, "gelu", annotate(List[Optional[number]], []), "tanh")
  return torch.gelu(torch.linear(x, weight, bias), approximate="tanh")

def product_add(self, x: Tensor, weight: Tensor, bias: Tensor, y: Tensor) -> Tensor:
  # x·weightᵀ + bias + y
  if self.fuses(x):
    return ops.mkldnn._linear_pointwise(x, y, weight, bias, "add")
  return y + torch.linear(x, weight, bias)
