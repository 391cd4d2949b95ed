# The encoder of T5 v1.1 (arXiv 1910.10683, 2002.05202), operator for operator as transformers' modeling_t5.py.
# B batch, T tokens, D model width, H heads, K width of a head, F width of the feed-forward layer, V vocabulary. Of an
# encoder in shares, H, F and V are the share's own; H may be 0.

def embed_some(self, table: Tensor, ids: Tensor, first: int) -> Tensor:
  # the rows of ids (B, T) that table (V, D) has, whose first is row `first` of the whole; zeros for the others
  # -> (B, T, D)
  local = ids - first
  own = torch.bitwise_and(local >= 0, local < table.size(0))
  rows = torch.embedding(table, torch.where(own, local, torch.zeros_like(local)))
  return rows * own.unsqueeze(2).to(rows.dtype)

def position_bucket(self, distance: Tensor, buckets: int, max_distance: int) -> Tensor:
  # Half of the buckets for keys after the query; of each half, the first half for exact distances, the other
  # half for logarithmically wider ones up to max_distance.
  half = buckets // 2
  exact = half // 2
  length = torch.abs(distance)
  scale = torch.log(max_distance / exact)
  # A whole number may come out just below itself, as the processor rounds: in float64, nothing else is so close.
  far = exact + (torch.log(length.to(7) / exact) / scale * (half - exact) + 1e-9).to(4)
  far = torch.clamp(far, None, half - 1)
  return (distance > 0).to(4) * half + torch.where(length < exact, length, far)

def position_bias(self, table: Tensor, mask: Tensor, buckets: int, max_distance: int) -> Tensor:
  # table (buckets, H), mask (B, T) with 1 for tokens and 0 for padding -> (B, H, T, T), added to the scores
  position = torch.arange(mask.size(1), dtype=4, device=mask.device)
  distance = position.unsqueeze(0) - position.unsqueeze(1)  # (T, T): key - query
  bias = torch.embedding(table, self.position_bucket(distance, buckets, max_distance))  # (T, T, H)
  return bias.permute([2, 0, 1]).unsqueeze(0) + self.padding_bias(mask, table.dtype)

def heads_of(self, x: Tensor, width: int) -> Tensor:
  # (B, T, H·K) -> (B, H, T, K)
  return x.unflatten(2, [-1, width]).transpose(1, 2)

def attention(self, x: Tensor, bias: Tensor, q: Tensor, k: Tensor, v: Tensor, o: Tensor, width: int) -> Tensor:
  # x (B, T, D), q, k and v (H·K, D), o (D, H·K) -> (B, T, D); T5 does not scale the scores
  query = self.heads_of(self.linear_alone(x, q), width)  # (B, H, T, K)
  key = self.heads_of(self.linear_alone(x, k), width)
  value = self.heads_of(self.linear_alone(x, v), width)
  scores = self.matmul(query, key.transpose(3, 2)) + bias  # (B, H, T, T)
  weights = torch.softmax(scores.to(6), -1).to(scores.dtype)
  mixed = self.matmul(weights, value).transpose(1, 2)  # (B, T, H, K)
  return self.linear_alone(mixed.flatten(2), o)

def gelu_new(self, x: Tensor) -> Tensor:
  return 0.5 * x * (1. + torch.tanh(0.7978845608028654 * (x + 0.044715 * torch.pow(x, 3.))))

def feed_forward(self, x: Tensor, w: List[Tensor]) -> Tensor:
  # x (B, T, D); w is wi (F, D), wo (D, F) with relu, or wi_0, wi_1 (F, D), wo (D, F) with a gate
  if len(w) == 3:
    inner = self.gelu_new(self.linear_alone(x, w[0])) * self.linear_alone(x, w[1])  # (B, T, F)
  else:
    inner = torch.relu(self.linear_alone(x, w[0]))
  out = w[len(w) - 1]
  return self.linear_alone(inner.to(out.dtype), out)

def finite(self, x: Tensor) -> Tensor:
  # keeps float16 away from infinity
  if x.dtype != 5:
    return x
  limit = 65504.
  if bool(torch.any(torch.isinf(x))):
    limit = 64504.
  return torch.clamp(x, -limit, limit)

def add_term(self, x: Tensor, y: Tensor, terms: List[int]) -> Tensor:
  # x + y, or y in the type of that sum
  if terms[2] == 0:
    return self.finite(torch.to(y, torch.result_type(x, y)))
  return self.finite(x + y)

def block(self, x: Tensor, w: List[Tensor], bias: Tensor, width: int, eps: float, terms: List[int]) -> Tensor:
  # x (B, T, D), w: norm (D), q, k, v, o, norm (D), then the weights of the feed-forward layer -> (B, T, D); two terms
  if self.adds(terms, 0):
    x = self.add_term(x, self.attention(self.rms_norm(x, w[0], eps), bias, w[1], w[2], w[3], w[4], width), terms)
  if self.adds(terms, 1):
    x = self.add_term(x, self.feed_forward(self.rms_norm(x, w[5], eps), w[6:]), terms)
  return x
