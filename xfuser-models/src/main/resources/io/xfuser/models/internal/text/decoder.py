# Causal language models that encode text: Qwen3 (arXiv 2505.09388), the text side of Qwen2.5-VL (arXiv 2502.13923), Gemma2
# (arXiv 2408.00118), operator for operator as transformers' modeling_qwen3.py, modeling_qwen2_5_vl.py and modeling_gemma2.py;
# the last one as sdpa attends, which caps no scores. What a model lacks is not among its weights.
# B batch, T tokens, C width, H heads, G groups of them that have keys and values in common, D head size, F width of the
# feed-forward layer, V vocabulary. Of a decoder in shares, G, F and V are the share's own; G may be 0.

def scaled(self, x: Tensor, factor: float) -> Tensor:
  # times a factor that is rounded to the type of x
  return x if factor == 1 else x * torch.full([], factor, dtype=x.dtype, device=x.device)

def embed(self, ids: Tensor, w: Dict[str, Tensor], factor: float) -> Tensor:
  # (B, T) -> (B, T, C)
  return self.scaled(self.embedded(w, "embed_tokens", ids), factor)

def embed_some(self, ids: Tensor, w: Dict[str, Tensor], first: int, factor: float) -> Tensor:
  # the rows of ids that this share of the table has, whose first is row `first` of the whole -> (B, T, C)
  return self.scaled(self.rows_of(w, "embed_tokens", ids, first), factor)

def sliding_bias(self, bias: Tensor, window: int) -> Tensor:
  # a causal bias (..., T, T), where no token sees the one `window` before it either -> like it
  return torch.minimum(bias, torch.tril(torch.full_like(bias, self.lowest(bias.dtype)), -window))

def centred_norm(self, x: Tensor, w: Dict[str, Tensor], name: str, eps: float) -> Tensor:
  # x (..., C) divided by its root mean square, times 1 + the weight (C), in fp32
  wide = torch.to(x, 6)
  normed = wide * torch.rsqrt(wide.square().mean([-1], True) + eps)
  return torch.to(normed * (1 + torch.to(w[name + ".weight"], 6)), x.dtype)

def rotation(self, x: Tensor, head: int, theta: float) -> Tensor:
  # x (B, T, C) -> cosines and sines of every position, for both halves of a head, (2, T, D)
  exponents = torch.arange(0, head, 2, dtype=6, device=x.device) / head
  position = torch.arange(x.size(1), dtype=6, device=x.device)
  angles = torch.outer(position, torch.reciprocal(torch.pow(theta, exponents)))
  angles = torch.cat([angles, angles], 1)
  return torch.to(torch.stack([torch.cos(angles), torch.sin(angles)]), x.dtype)

def rotation_at(self, x: Tensor, places: Tensor, head: int, theta: float) -> Tensor:
  # x (B, T, C), places (T, D/2) that differ by pairs of a head's values -> like `rotation`
  exponents = torch.arange(0, head, 2, dtype=6, device=x.device) / head
  angles = torch.to(places, 6) * torch.reciprocal(torch.pow(theta, exponents))
  angles = torch.cat([angles, angles], 1)
  return torch.to(torch.stack([torch.cos(angles), torch.sin(angles)]), x.dtype)

def with_pictures(self, x: Tensor, at: Tensor, states: List[Tensor]) -> Tensor:
  # x (B, T, C) with states (M, C), or zeros where there are none, in the columns at (M)
  if len(states) == 0:
    return torch.index_fill(x, 1, at, 0.)
  return torch.index_copy(x, 1, at, torch.to(states[0], x.dtype).unsqueeze(0).expand([x.size(0), -1, -1]).contiguous())

def turned(self, x: Tensor, rotation: Tensor) -> Tensor:
  # x (B, T, H, D): the first half of a head and the second turn together
  half = x.size(3) // 2
  crossed = torch.cat([-x.slice(3, half, x.size(3)), x.slice(3, 0, half)], 3)
  return x * rotation[0].unsqueeze(1) + crossed * rotation[1].unsqueeze(1)

def heads_of(self, x: Tensor, w: Dict[str, Tensor], name: str, norm: str, head: int, rotation: Tensor,
             eps: float) -> Tensor:
  # queries or keys of x (B, T, C), each head normed, where there is a norm, and turned: (B, H, T, D)
  h = self.linear(x, w, name).unflatten(2, [-1, head])
  if norm + ".weight" in w:
    h = self.rms_norm(h, w, norm, eps)
  return self.turned(h, rotation).transpose(1, 2)

def bias(self, x: Tensor, mask: List[Tensor]) -> Tensor:
  # x (B, T, C), mask none or (B, T) with 1 for tokens and 0 for padding -> what is added to the scores, so that no token sees
  # a later one, or padding: (T, T), or with a mask (B, 1, T, T)
  causal = self.causal_bias(x)
  if len(mask) == 0:
    return causal
  padding = (mask[0] == 0).unsqueeze(1).unsqueeze(1)  # (B, 1, 1, T)
  return torch.masked_fill(causal.expand([mask[0].size(0), 1, -1, -1]), padding, self.lowest(x.dtype))

def attention(self, x: Tensor, rotation: Tensor, bias: Tensor, w: Dict[str, Tensor], head: int, factor: float,
              eps: float) -> Tensor:
  # x (B, T, C), a factor of the queries -> (B, T, H·D)
  query = self.heads_of(x, w, "self_attn.q_proj", "self_attn.q_norm", head, rotation, eps)
  query = self.scaled(query, factor)
  key = self.heads_of(x, w, "self_attn.k_proj", "self_attn.k_norm", head, rotation, eps)
  value = self.linear(x, w, "self_attn.v_proj").unflatten(2, [-1, head]).transpose(1, 2)
  each = query.size(1) // max(key.size(1), 1)  # heads of a group
  key = key.repeat_interleave(each, 1)
  y = self.attend_masked(query, key, value.repeat_interleave(each, 1), [bias]).flatten(2)
  if bias.dim() == 2:
    return y
  return y * torch.to(torch.amax(bias, [3]) == 0, y.dtype).transpose(1, 2)  # zeros for a token that sees none

def feed_forward(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (B, T, C) -> (B, T, F)
  gate, up = torch.chunk(self.linear(x, w, "mlp.gate_up_proj"), 2, -1)
  return torch.silu(gate) * up

def layer(self, x: Tensor, w: Dict[str, Tensor], rotation: Tensor, bias: Tensor, head: int, eps: float,
          terms: List[int]) -> Tensor:
  # x (B, T, C) -> (B, T, C); two terms
  if self.adds(terms, 0):
    h = self.attention(self.rms_norm(x, w, "input_layernorm", eps), rotation, bias, w, head, 1., eps)
    x = self.add_linear(x, h, w, "self_attn.o_proj", terms, 0)
  if self.adds(terms, 1):
    h = self.feed_forward(self.rms_norm(x, w, "post_attention_layernorm", eps), w)
    x = self.add_linear(x, h, w, "mlp.down_proj", terms, 1)
  return x

def attended(self, x: Tensor, w: Dict[str, Tensor], rotation: Tensor, bias: Tensor, head: int, factor: float,
             eps: float) -> Tensor:
  # x (B, T, C) -> what attention gives, a share's part of it (B, T, C)
  h = self.attention(self.centred_norm(x, w, "input_layernorm", eps), rotation, bias, w, head, factor, eps)
  return self.linear(h, w, "self_attn.o_proj")

def with_attended(self, x: Tensor, y: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # x, and what attention gives (B, T, C) -> (B, T, C)
  return x + self.centred_norm(y, w, "post_attention_layernorm", eps)

def fed(self, x: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # x (B, T, C) -> what the feed-forward layer gives, a share's part of it (B, T, C)
  h = self.linear(self.centred_norm(x, w, "pre_feedforward_layernorm", eps), w, "mlp.gate_up_proj")
  gate, up = torch.chunk(h, 2, -1)
  return self.linear(torch.gelu(gate, approximate="tanh") * up, w, "mlp.down_proj")

def with_fed(self, x: Tensor, y: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # x, and what the feed-forward layer gives (B, T, C) -> (B, T, C)
  return x + self.centred_norm(y, w, "post_feedforward_layernorm", eps)

def last_norm(self, x: Tensor, w: Dict[str, Tensor], eps: float, centred: bool) -> Tensor:
  # (B, T, C) -> (B, T, C)
  return self.centred_norm(x, w, "norm", eps) if centred else self.rms_norm(x, w, "norm", eps)
