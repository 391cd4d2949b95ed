def factor(self, rows: int, columns: int) -> Tensor:
  # (rows, columns) fp32
  return torch.full([rows, columns], 0.5, dtype=6, device=torch.device("cpu"))

def taken(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (T, I) -> (T, O)
  return self.linear(x, w, "wi")
