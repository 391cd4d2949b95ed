# B batch, L tokens of this rank, C width, H heads, D head size, M neurons of the MLP, c values of a token, N classes and
# the null class. H and M are those of the share that the weights are; the whole has H·D = C and M = 4C.
# The head has the first block's embedder too. attn1.to_qkv is three layers as one.

def times(self, value: float, labels: Tensor) -> Tensor:
  # labels (B) -> (B, 256) fp32, cosines first; the last frequency is exactly 1/10000, as in the UNets of the time
  frequencies = torch.exp(torch.arange(128, dtype=6, device=labels.device) * (-9.210340371976184 / 127))
  angles = torch.full([1], value, dtype=6, device=labels.device) * frequencies
  return torch.cat([torch.cos(angles), torch.sin(angles)]).unsqueeze(0).expand([labels.size(0), -1])

def embedded(self, times: Tensor, labels: Tensor, w: Dict[str, Tensor], timestep: str, classes: str) -> Tensor:
  # times (S·B, 256) of S steps, labels (B) -> (S·B, C): time and class, after the SiLU that every modulation begins with
  table = w[classes]  # (N, C)
  named = torch.index_select(table, 0, labels).repeat([times.size(0) // labels.size(0), 1])
  return torch.silu(self.silu_mlp(torch.to(times, table.dtype), w, timestep) + named)

def modulation(self, times: Tensor, labels: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # times (S·B, 256), labels (B) -> shift, factor (1 + scale), gate twice of every row (6, S·B, 1, C)
  t = self.embedded(times, labels, w, "norm1.emb.timestep_embedder", "norm1.emb.class_embedder.embedding_table.weight")
  return self.with_factors_(self.modulations(t, w, "norm1.linear"))

def head_modulation(self, times: Tensor, labels: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # times (S·B, 256), labels (B) -> shift and scale of every row (2, S·B, 1, C)
  t = self.embedded(times, labels, w, "transformer_blocks.0.norm1.emb.timestep_embedder",
                    "transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight")
  return self.modulations(t, w, "proj_out_1")

def modulated(self, x: Tensor, m: Tensor, eps: float) -> Tensor:
  # x (B, L, C) as a block's first layer reads it; m has the shift and the factor of that first
  return self.modulate(x, m[0], m[1], eps)

def before_attention(self, x: Tensor, m: Tensor, w: Dict[str, Tensor], head: int, eps: float) -> Tensor:
  # x (B, L, C), m (6, B, 1, C), head is D -> packed queries, keys, values (B, L, 3, H, D)
  h = self.modulate(x, m[0], m[1], eps)
  return self.linear(h, w, "attn1.to_qkv").unflatten(2, [3, -1, head])

def after_attention(self, x: Tensor, attended: Tensor, m: Tensor, w: Dict[str, Tensor], eps: float,
                    terms: List[int]) -> Tensor:
  # x (B, L, C), attended (B, L, H, D), m (6, B, 1, C) -> (B, L, C); two terms
  if self.adds(terms, 0):
    x = self.add_gated(x, self.linear(attended.flatten(2), w, "attn1.to_out.0"), m[2], terms, 0)
  if self.adds(terms, 1):
    n = self.modulate(x, m[3], m[4], eps)
    x = self.add_gated(x, self.mlp_gelu_tanh(n, w, "ff.net.0.proj", "ff.net.2"), m[5], terms, 1)
  return x

def predict(self, x: Tensor, m: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # x (B, L, C), m (2, B, 1, C) -> (B, L, c)
  return self.linear(self.modulate(x, m[0], 1 + m[1], eps), w, "proj_out_2")
