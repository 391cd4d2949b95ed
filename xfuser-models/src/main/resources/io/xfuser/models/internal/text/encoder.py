# What the text encoders share, and the layers of CLIP (arXiv 2103.00020) and BERT (arXiv 1810.04805).
# B batch, T tokens, C width, H heads, F width of the feed-forward layer.

def embed(self, table: Tensor, ids: Tensor) -> Tensor:
  # (V, C), (B, T) -> (B, T, C)
  return torch.embedding(table, ids)

def lowest(self, dtype: int) -> float:
  if dtype == 5:
    return -65504.
  if dtype == 15:
    return -3.3895313892515355e38
  return -3.4028234663852886e38

def ones_like(self, ids: Tensor) -> Tensor:
  return torch.ones_like(ids)

def padding_bias(self, mask: Tensor, dtype: int) -> Tensor:
  # mask (B, T) with 1 for tokens and 0 for padding -> (B, 1, 1, T), added to the scores
  return ((1. - mask.to(dtype)) * self.lowest(dtype)).unsqueeze(1).unsqueeze(1)

def causal_bias(self, x: Tensor) -> Tensor:
  # x (B, T, C) -> (T, T), added to the scores: no token sees a later one
  tokens = x.size(1)
  return torch.triu(torch.full([tokens, tokens], self.lowest(x.dtype), dtype=x.dtype, device=x.device), 1)

def at_positions(self, x: Tensor, positions: Tensor) -> Tensor:
  # x (B, T, C), a row for each position (P, C) -> (B, T, C)
  return x + positions.slice(0, 0, x.size(1))

def normal(self, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
  return torch.layer_norm(x, [x.size(2)], weight, bias, eps)

def self_attention(self, x: Tensor, w: List[Tensor], bias: Tensor, heads: int) -> Tensor:
  # x (B, T, C), bias to the scores -> (B, T, C), before the output projection
  q = self.split_heads(self.linear(x, w[0], w[1]), heads)  # (B, H, T, C / H)
  k = self.split_heads(self.linear(x, w[2], w[3]), heads)
  v = self.split_heads(self.linear(x, w[4], w[5]), heads)
  return self.attend_masked(q, k, v, [bias]).flatten(2)

def activated(self, x: Tensor, activation: str) -> Tensor:
  if activation == "quick_gelu":
    return x * torch.sigmoid(1.702 * x)
  return torch.gelu(x)

# A layer's weights w: q, k, v, output (C, C), inner (F, C), outer (C, F), each with its bias, then the first and the
# second norm (C), each with its bias.

def layer_norm_first(self, x: Tensor, w: List[Tensor], bias: Tensor, heads: int, activation: str, eps: float) -> Tensor:
  # CLIP: each half of the layer sees a normed input
  mixed = self.self_attention(self.normal(x, w[12], w[13], eps), w, bias, heads)
  x = self.linear_add(mixed, w[6], w[7], x)
  inner = self.linear(self.normal(x, w[14], w[15], eps), w[8], w[9])  # (B, T, F)
  return self.linear_add(self.activated(inner, activation), w[10], w[11], x)

def layer_norm_last(self, x: Tensor, w: List[Tensor], bias: Tensor, heads: int, activation: str, eps: float) -> Tensor:
  # BERT: the sum after each half of the layer is normed
  mixed = self.self_attention(x, w, bias, heads)
  x = self.normal(self.linear_add(mixed, w[6], w[7], x), w[12], w[13], eps)
  inner = self.linear(x, w[8], w[9])  # (B, T, F)
  return self.normal(self.linear_add(self.activated(inner, activation), w[10], w[11], x), w[14], w[15], eps)
