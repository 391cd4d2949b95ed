# B batch, L image tokens of this rank, T text tokens, C width, H heads, D head size, N neurons. x is the image's hidden states
# (B, L, C) and, with the first patch, the text's (B, T, C) after them; in packed queries, keys and values text comes first.

def project_text(self, embeds: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.linear(embeds, w, "text")

def time(self, timestep: float, like: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # -> (1, C)
  return self.embed_number(timestep, like, w, "time")

def positions(self, at: Tensor, width: int) -> Tensor:
  # at (L, 4): segment, frame, row, column -> sines and cosines of the last three, (L, C) fp32
  out = annotate(List[Tensor], [])
  for axis in range(1, 4):
    frequencies = torch.reciprocal(torch.pow(10., torch.arange(width // 6, dtype=6, device=at.device) / 4.))
    angles = torch.outer(torch.to(at.select(1, axis), 6), frequencies)
    out = out + [torch.sin(angles), torch.cos(angles)]
  return torch.cat(out, 1)

def norm(self, x: Tensor, t: Tensor) -> Tensor:
  return torch.layer_norm(x, [x.size(2)], None, None, 1e-6) * (1 + t)

def before(self, x: List[Tensor], t: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # t (1, C) -> (B, T + L, 3, H, D)
  packed = [self.linear(self.norm(y, t), w, "attn.to_qkv").unflatten(2, [3, -1, head]) for y in x]
  if len(packed) == 1:
    return packed[0]
  return torch.cat([packed[1], packed[0]], 1)

def after(self, x: List[Tensor], attended: Tensor, t: Tensor, w: Dict[str, Tensor], terms: List[int]) -> List[Tensor]:
  # attended (B, T + L, H, D) -> like x; two terms
  text = attended.size(1) - x[0].size(1)
  parts = [attended.slice(1, text, attended.size(1)), attended.slice(1, 0, text)]
  out = annotate(List[Tensor], [])
  for i in range(len(x)):
    y = x[i]
    if self.adds(terms, 0):
      y = self.add_linear(y, parts[i].flatten(2), w, "attn.to_out", terms, 0)
    if self.adds(terms, 1):
      y = self.add_mlp_gelu_tanh(y, self.norm(y, t), w, "mlp_in", "mlp_out", terms, 1)
    out.append(y)
  return out
