# The functions of linear_onednn.py for a libtorch without oneDNN.

def product(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  return self.plain_product(x, weight, bias)

def product_gelu_tanh(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  return self.plain_gelu_tanh(x, weight, bias)

def product_add(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], y: Tensor, own: bool) -> Tensor:
  return self.plain_add(x, weight, bias, y, own)
