def predict(self, x: Tensor, t: Tensor, w: List[Tensor]) -> Tensor:
  # x (B, L, C), t (B, C), w: modulation (2C, C), projection (c, C), each with its bias -> (B, L, c)
  m = self.modulations(t, w[0], w[1], 2)
  return self.linear(self.modulate_rows(x, m[1], m[0], 1e-6), w[2], w[3])
