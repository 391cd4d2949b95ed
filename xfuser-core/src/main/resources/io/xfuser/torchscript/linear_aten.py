# The functions of linear_onednn.py for a libtorch without oneDNN.

def product(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  return torch.linear(x, weight, bias)

def product_gelu_tanh(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  return torch.gelu(torch.linear(x, weight, bias), approximate="tanh")

def product_add(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], y: Tensor) -> Tensor:
  return y + torch.linear(x, weight, bias)
