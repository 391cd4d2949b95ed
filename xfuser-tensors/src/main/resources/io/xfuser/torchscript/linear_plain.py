# Matrix products of factors of one type by operators that every device has, or as CUDA fuses them.

def plain_product(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  # x·weightᵀ + bias; on CUDA libtorch would copy parts of longer rows, and add the bias apart
  if x.is_cpu or x.dim() != 3 or x.is_contiguous():
    return torch.linear(x, weight, bias)
  if x.transpose(0, 1).is_contiguous():  # tokens_first
    return torch.linear(x.transpose(0, 1), weight, bias).transpose(0, 1)
  out = torch.empty([x.size(0), x.size(1), weight.size(0)], dtype=x.dtype, device=x.device)
  for b in range(x.size(0)):
    self.product_into(x[b], weight, bias, out[b])
  return out

def plain_gelu_tanh(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  # gelu_tanh(x·weightᵀ + bias); the fused operator is exactly that on CUDA, and another GELU on CPUs
  if x.is_cpu or bias is None:
    return torch.gelu(torch.linear(x, weight, bias), approximate="tanh")
  shape = x.size()
  shape[-1] = weight.size(0)
  return torch._addmm_activation(bias, x.reshape([-1, x.size(-1)]), weight.t(), use_gelu=True).view(shape)

def plain_add(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], y: Tensor, own: bool) -> Tensor:
  # x·weightᵀ + bias + y; on CUDA the product is added to what is there
  if x.is_cpu or weight.numel() == 0:
    return y + torch.linear(x, weight, bias)
  out = y
  if bias is not None:
    out = torch.add_(y, bias) if own else torch.add(y, bias)
  elif not own:
    out = torch.clone(y)
  out = out.contiguous()
  out.view([-1, out.size(-1)]).addmm_(x.reshape([-1, x.size(-1)]), weight.t())
  return out

def product_into(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], out: Tensor) -> Tensor:
  # x (L, I), weight (O, I), bias none or (O) -> out (L, O)
  if bias is None:
    return torch.mm(x, weight.t(), out=out)
  return torch.addmm(bias, x, weight.t(), out=out)
