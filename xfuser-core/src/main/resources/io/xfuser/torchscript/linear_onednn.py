# Matrix products through oneDNN, fused with what follows them, of factors of one type. oneDNN's fp16 needs instructions
# that few CPUs have, and CUDA has no such operator: both take the plain ones.

def product(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  # x (..., I), weight (O, I), bias none or (O) -> (..., O); a share of a layer may have no heads, which oneDNN refuses
  if x.is_cpu and x.dtype != 5 and weight.numel() > 0:
    return ops.mkldnn._linear_pointwise(x, weight, bias, "none", annotate(List[Optional[number]], []), "")
  return self.plain_product(x, weight, bias)

def product_gelu_tanh(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  # gelu_tanh(x·weightᵀ + bias)
  if x.is_cpu and x.dtype != 5:
    return ops.mkldnn._linear_pointwise(x, weight, bias, "gelu", annotate(List[Optional[number]], []), "tanh")
  return self.plain_gelu_tanh(x, weight, bias)

def product_add(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], y: Tensor, own: bool) -> Tensor:
  # x·weightᵀ + bias + y, in the place of y if that is the caller's own and it is faster
  if x.is_cpu and x.dtype != 5 and weight.numel() > 0:
    return ops.mkldnn._linear_pointwise(x, y, weight, bias, "add")
  return self.plain_add(x, weight, bias, y, own)
