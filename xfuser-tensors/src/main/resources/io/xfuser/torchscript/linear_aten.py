# The functions of linear_onednn.py for a libtorch without oneDNN.

def product(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  return self.plain_product(x, weight, bias)

def product_gelu_tanh(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  return self.plain_gelu_tanh(x, weight, bias)

def product_add(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], y: Tensor, own: bool) -> Tensor:
  return self.plain_add(x, weight, bias, y, own)

def multiplies_into(self, x: Tensor, weight: Tensor, y: Tensor) -> bool:
  return False

def product_there(self, x: Tensor, weight: Tensor, gelu: bool, y: Tensor) -> Tensor:
  return torch.copy_(y, self.product_gelu_tanh(x, weight, None) if gelu else self.product(x, weight, None))
