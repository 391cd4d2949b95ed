# B batch, L tokens of this rank, C width, H heads, D head size, M neurons of the MLP, c values of a token, N classes and
# the null class. H and M are those of the share that the weights are; the whole has H·D = C and M = 4C.
# The weights of a block, and of the head up to 6, in order:
#  0 time MLP in (C, 256)   1 its bias    2 time MLP out (C, C)  3 its bias   4 classes (N, C)
#  5 adaLN (6C, C), of the head (2C, C)   6 its bias
#  7 Q/K/V (3·H·D, C)       8 its bias    9 attention output (C, H·D)         10 its bias
# 11 MLP in (M, C)         12 its bias   13 MLP out (C, M)      14 its bias
# The head's 7 and 8 are the output projection (c, C) and its bias.

def time(self, value: float, like: Tensor) -> Tensor:
  # (1, 256), cosines first; the last frequency is exactly 1/10000, as in the UNets of the time
  frequencies = torch.exp(torch.arange(128, dtype=6, device=like.device) * (-9.210340371976184 / 127))
  angles = torch.full([1], value, dtype=6, device=like.device) * frequencies
  return torch.to(torch.cat([torch.cos(angles), torch.sin(angles)]).unsqueeze(0), like.dtype)

def modulation(self, labels: Tensor, value: float, w: List[Tensor], parts: int) -> Tensor:
  # labels (B) -> (parts, B, 1, C), every row's own: shift, scale, gate, shift, scale, gate, or shift and scale
  embedded = self.silu_mlp(self.time(value, w[0]), w, 0) + torch.index_select(w[4], 0, labels)
  return self.modulations(torch.silu(embedded), w[5], w[6], parts)

def before_attention(self, x: Tensor, m: Tensor, w: List[Tensor], head: int, eps: float) -> Tensor:
  # x (B, L, C), m (6, B, 1, C), head is D -> packed queries, keys, values (B, L, 3, H, D)
  h = self.modulate_rows(x, m[0], m[1], eps)
  return self.linear(h, w[7], w[8]).unflatten(2, [3, -1, head])

def after_attention(self, x: Tensor, attended: Tensor, m: Tensor, w: List[Tensor], eps: float,
                    terms: List[int]) -> Tensor:
  # x (B, L, C), attended (B, L, H, D), m (6, B, 1, C) -> (B, L, C); two terms
  if self.adds(terms, 0):
    x = self.add_gated(x, self.linear(attended.flatten(2), w[9], w[10]), m[2], terms, 0)
  if self.adds(terms, 1):
    n = self.modulate_rows(x, m[3], m[4], eps)
    x = self.add_gated(x, self.mlp_gelu_tanh(n, w[11], w[12], w[13], w[14]), m[5], terms, 1)
  return x

def predict(self, x: Tensor, m: Tensor, w: List[Tensor], eps: float) -> Tensor:
  # x (B, L, C), m (2, B, 1, C) -> (B, L, c)
  return self.linear(self.modulate_rows(x, m[0], m[1], eps), w[7], w[8])
