def factor(self, rows: int, columns: int) -> Tensor:
  # (rows, columns) fp32
  return torch.full([rows, columns], 0.5, dtype=6, device=torch.device("cpu"))

def taken(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
  # x (T, I), weight (O, I), bias (O) -> (T, O)
  return self.linear(x, weight, bias)

def taken_alone(self, x: Tensor, weight: Tensor) -> Tensor:
  return self.linear_alone(x, weight)
