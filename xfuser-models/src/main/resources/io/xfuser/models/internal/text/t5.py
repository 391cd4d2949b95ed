# The encoder of T5 v1.1 (arXiv 1910.10683, 2002.05202) as transformers' modeling_t5.py, operator for operator but for GELU in
# fp32, and of UMT5 (arXiv 2304.09151) as modeling_umt5.py: there every block has positions of its own, here the first has those
# of all.
# B batch, T tokens, D model width, H heads, K width of a head, F width of the feed-forward layer, V vocabulary. Of an
# encoder in shares, H, F and V are the share's own; H may be 0.

def embed(self, ids: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T) -> (B, T, D)
  return self.embedded(w, "shared", ids)

def embed_some(self, ids: Tensor, w: Dict[str, Tensor], first: int) -> Tensor:
  # the rows of ids that this share of the table has, whose first is row `first` of the whole -> (B, T, D)
  return self.rows_of(w, "shared", ids, first)

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

def position_bias(self, w: Dict[str, Tensor], mask: Tensor, buckets: int, max_distance: int) -> Tensor:
  # mask (B, T) with 1 for tokens and 0 for padding -> (B, H, T, T), added to the scores
  table = w["layer.0.SelfAttention.relative_attention_bias.weight"]  # (buckets, H)
  position = torch.arange(mask.size(1), dtype=4, device=mask.device)
  distance = position.unsqueeze(0) - position.unsqueeze(1)  # (T, T): key - query
  bias = torch.embedding(table, self.position_bucket(distance, buckets, max_distance))  # (T, T, H)
  return bias.permute([2, 0, 1]).unsqueeze(0) + self.padding_bias(mask, table.dtype)

def heads_of(self, x: Tensor, width: int) -> Tensor:
  # (B, T, H·K) -> (B, H, T, K)
  return x.unflatten(2, [-1, width]).transpose(1, 2)

def attention(self, x: Tensor, bias: Tensor, w: Dict[str, Tensor], width: int, texts: int) -> Tensor:
  # x (B, T, D) -> (B, T, D); T5 does not scale the scores
  query = self.linear_apart(x, w, "layer.0.SelfAttention.q", False, None, x.dtype, texts)  # (B, T, H·K)
  key = self.linear_apart(x, w, "layer.0.SelfAttention.k", False, None, x.dtype, texts)
  value = self.linear_apart(x, w, "layer.0.SelfAttention.v", False, None, x.dtype, texts)
  mixed = annotate(List[Tensor], [])
  each = x.size(0) // texts
  for k in range(texts):
    some = [torch.slice(y, 0, k * each, (k + 1) * each) for y in [query, key, value, bias]]
    mixed.append(self.mixed(self.heads_of(some[0], width), self.heads_of(some[1], width), self.heads_of(some[2], width), some[3]))
  heads = mixed[0] if texts == 1 else torch.cat(mixed, 0)  # (B, T, H·K)
  return self.linear_apart(heads, w, "layer.0.SelfAttention.o", False, None, x.dtype, texts)

def mixed(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
  # (B, H, T, K) each, bias (B, H, T, T) -> (B, T, H·K)
  scores = self.matmul(query, key.transpose(3, 2)) + bias  # (B, H, T, T)
  weights = torch.softmax(scores.to(6), -1).to(scores.dtype)
  return self.matmul(weights, value).transpose(1, 2).flatten(2)

def gelu_linear(self, x: Tensor, w: Dict[str, Tensor], name: str, texts: int) -> Tensor:
  # gelu(linear(x)); in half precision each operator of upstream rounds, in fp32 GELU is taken within the product
  if x.dtype == 6:
    return self.linear_apart(x, w, name, True, None, 6, texts)
  y = self.linear_apart(x, w, name, False, None, x.dtype, texts)
  return 0.5 * y * (1. + torch.tanh(0.7978845608028654 * (y + 0.044715 * torch.pow(y, 3.))))

def feed_forward(self, x: Tensor, w: Dict[str, Tensor], texts: int) -> Tensor:
  # x (B, T, D) -> (B, T, D): with a gate, which T5 v1.1 has, or with relu
  if self.has_layer(w, "layer.1.DenseReluDense.wi_0"):
    inner = self.gelu_linear(x, w, "layer.1.DenseReluDense.wi_0", texts)  # (B, T, F)
    inner = torch.mul_(inner, self.linear_apart(x, w, "layer.1.DenseReluDense.wi_1", False, None, x.dtype, texts))
  else:
    inner = torch.relu(self.linear_apart(x, w, "layer.1.DenseReluDense.wi", False, None, x.dtype, texts))
  inner = inner.to(self.taken_type(inner, w, "layer.1.DenseReluDense.wo"))
  return self.linear_apart(inner, w, "layer.1.DenseReluDense.wo", False, None, inner.dtype, texts)

def finite(self, x: Tensor, texts: int) -> Tensor:
  # keeps float16 away from infinity, each of so many equal parts by itself
  if x.dtype != 5:
    return x
  parts = annotate(List[Tensor], [])
  for part in torch.chunk(x, texts, 0):
    limit = 64504. if bool(torch.any(torch.isinf(part))) else 65504.
    parts.append(torch.clamp(part, -limit, limit))
  return parts[0] if texts == 1 else torch.cat(parts, 0)

def add_term(self, x: Tensor, y: Tensor, terms: List[int], texts: int) -> Tensor:
  # x + y, or y in the type of that sum
  if terms[2] == 0:
    return self.finite(torch.to(y, torch.result_type(x, y)), texts)
  return self.finite(x + y, texts)

def block(self, x: Tensor, w: Dict[str, Tensor], bias: Tensor, width: int, eps: float, texts: int, terms: List[int]) -> Tensor:
  # x (B, T, D) -> (B, T, D), of so many equal parts of B as if each were alone; two terms
  if self.adds(terms, 0):
    h = self.rms_norm(x, w, "layer.0.layer_norm", eps)
    x = self.add_term(x, self.attention(h, bias, w, width, texts), terms, texts)
  if self.adds(terms, 1):
    h = self.rms_norm(x, w, "layer.1.layer_norm", eps)
    x = self.add_term(x, self.feed_forward(h, w, texts), terms, texts)
  return x

def last_norm(self, x: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # (B, T, D) -> (B, T, D)
  return self.rms_norm(x, w, "encoder.final_layer_norm", eps)
