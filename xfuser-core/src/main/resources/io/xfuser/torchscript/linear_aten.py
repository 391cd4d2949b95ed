# The functions of linear_onednn.py for a libtorch without oneDNN.

def linear(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
  return torch.linear(x, weight, bias)

def linear_gelu_tanh(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
  return torch.gelu(torch.linear(x, weight, bias), approximate="tanh")

def linear_add(self, x: Tensor, weight: Tensor, bias: Tensor, y: Tensor) -> Tensor:
  return y + torch.linear(x, weight, bias)
