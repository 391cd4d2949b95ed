# What the text encoders share. B batch, T tokens, C width, H heads.

def lowest(self, dtype: int) -> float:
  if dtype == 5:
    return -65504.
  if dtype == 15:
    return -3.3895313892515355e38
  return -3.4028234663852886e38

def padding_bias(self, mask: Tensor, dtype: int) -> Tensor:
  # mask (B, T) with 1 for tokens and 0 for padding -> (B, 1, 1, T), added to the scores
  return ((1. - mask.to(dtype)) * self.lowest(dtype)).unsqueeze(1).unsqueeze(1)

def causal_bias(self, x: Tensor) -> Tensor:
  # x (B, T, C) -> (T, T), added to the scores: no token sees a later one
  tokens = x.size(1)
  return torch.triu(torch.full([tokens, tokens], self.lowest(x.dtype), dtype=x.dtype, device=x.device), 1)

def embedded(self, w: Dict[str, Tensor], name: str, ids: Tensor) -> Tensor:
  # ids (B, T) of a table (V, C) that may have its file's type (WeightMap.table) -> (B, T, C)
  rows = torch.embedding(w[name + ".weight"], ids)
  if name + ".weight_type" in w:
    rows = torch.to(rows, w[name + ".weight_type"].dtype)
  return rows

def rows_of(self, w: Dict[str, Tensor], name: str, ids: Tensor, first: int) -> Tensor:
  # of ids (B, T) the rows of a share of a table, (V, C), whose first row is `first` of the whole; zeros for the others
  # -> (B, T, C)
  local = ids - first
  own = torch.bitwise_and(local >= 0, local < w[name + ".weight"].size(0))
  rows = self.embedded(w, name, torch.where(own, local, torch.zeros_like(local)))
  return rows * own.unsqueeze(2).to(rows.dtype)

def at_positions(self, x: Tensor, positions: Tensor) -> Tensor:
  # x (B, T, C), a row for each position (P, C) -> (B, T, C)
  return x + positions.slice(0, 0, x.size(1))

def self_attention(self, x: Tensor, w: Dict[str, Tensor], query: str, key: str, value: str, bias: List[Tensor],
                   heads: int) -> Tensor:
  # x (B, T, C), names of its projections, none or one bias to the scores -> (B, T, C), before the output projection
  q = self.split_heads(self.linear(x, w, query), heads)  # (B, H, T, C / H)
  k = self.split_heads(self.linear(x, w, key), heads)
  v = self.split_heads(self.linear(x, w, value), heads)
  return self.attend_masked(q, k, v, bias).flatten(2)

def activated(self, x: Tensor, activation: str) -> Tensor:
  if activation == "quick_gelu":
    return x * torch.sigmoid(1.702 * x)
  if activation == "gelu_pytorch_tanh":
    return torch.gelu(x, approximate="tanh")
  return torch.gelu(x)

def as_matrix(self, weight: Tensor) -> Tensor:
  # a kernel (C, 3, ...) -> (C, 3·...), a view
  return torch.flatten(weight, 1)

def in_colours(self, pixels: Tensor, factor: float, means: List[float], deviations: List[float]) -> Tensor:
  # 8-bit pixels (H, W, 3) -> the same, fp32, as transformers' image processors make them
  x = torch.to(torch.to(pixels, 7) * factor, 6)
  return (x - torch.tensor(means, dtype=6, device=x.device)) / torch.tensor(deviations, dtype=6, device=x.device)
