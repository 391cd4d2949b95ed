# What follows joint attention, the same for image and text. m: shift, scale, gate twice (6 or more, B, 1, C); w: output
# of attention (C, C), MLP in (4C, C), MLP out (C, 4C), each with its bias, from `first` on.

def gated_mlp(self, x: Tensor, m: Tensor, w: List[Tensor], first: int) -> Tensor:
  # x + gate·MLP(adaLN(x)), written to x (B, l, C); the MLP's weights from `first` on
  h = self.modulate_rows(x, m[3], m[4], 1e-6)
  return x.addcmul_(self.mlp_gelu_tanh(h, w[first], w[first + 1], w[first + 2], w[first + 3]), m[5])

def stream_after(self, x: Tensor, attended: Tensor, m: Tensor, w: List[Tensor], first: int) -> Tensor:
  # x (B, l, C), attended (B, l, H, D) -> (B, l, C)
  h = torch.addcmul(x, self.linear(attended.flatten(2), w[first], w[first + 1]), m[2])
  return self.gated_mlp(h, m, w, first + 2)
