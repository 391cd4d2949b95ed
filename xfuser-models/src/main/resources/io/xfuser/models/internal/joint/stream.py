# What follows joint attention, the same for image and text. m: shift, scale, gate twice (6 or more, B, 1, C); w: output
# of attention (C, H·D), MLP in (N, C), MLP out (C, N), each with its bias, from `first` on; H heads and N neurons are those
# of the share that the weights are.

def add_attended(self, x: Tensor, attended: Tensor, m: Tensor, w: List[Tensor], first: int, terms: List[int]) -> Tensor:
  # term 0: x (B, l, C) + gate·projection of attended (B, l, H, D)
  if not self.adds(terms, 0):
    return x
  return self.add_gated(x, self.linear(attended.flatten(2), w[first], w[first + 1]), m[2], terms, 0)

def add_mlp(self, x: Tensor, m: Tensor, w: List[Tensor], first: int, terms: List[int], term: int) -> Tensor:
  # x (B, l, C) + gate·MLP(adaLN(x)); the MLP's weights from `first` on
  if not self.adds(terms, term):
    return x
  h = self.modulate_rows(x, m[3], m[4], 1e-6)
  y = self.mlp_gelu_tanh(h, w[first], w[first + 1], w[first + 2], w[first + 3])
  return self.add_gated(x, y, m[5], terms, term)

def stream_after(self, x: Tensor, attended: Tensor, m: Tensor, w: List[Tensor], first: int, terms: List[int]) -> Tensor:
  # x (B, l, C), attended (B, l, H, D) -> (B, l, C); two terms
  return self.add_mlp(self.add_attended(x, attended, m, w, first, terms), m, w, first + 2, terms, 1)
