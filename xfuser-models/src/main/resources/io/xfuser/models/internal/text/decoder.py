# A causal language model that encodes text: Qwen3 (arXiv 2505.09388), the text side of Qwen2.5-VL (arXiv 2502.13923), operator
# for operator as transformers' modeling_qwen3.py and modeling_qwen2_5_vl.py. What a model lacks is not among its weights.
# B batch, T tokens, C width, H heads, G groups of them that have keys and values in common, D head size, F width of the
# feed-forward layer, V vocabulary. Of a decoder in shares, G, F and V are the share's own; G may be 0.

def embed(self, ids: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T) -> (B, T, C)
  return torch.embedding(w["embed_tokens.weight"], ids)

def embed_some(self, ids: Tensor, w: Dict[str, Tensor], first: int) -> Tensor:
  # the rows of ids that this share of the table has, whose first is row `first` of the whole -> (B, T, C)
  return self.rows_of(w["embed_tokens.weight"], ids, first)

def rotation(self, x: Tensor, head: int, theta: float) -> Tensor:
  # x (B, T, C) -> cosines and sines of every position, for both halves of a head, (2, T, D)
  exponents = torch.arange(0, head, 2, dtype=6, device=x.device) / head
  position = torch.arange(x.size(1), dtype=6, device=x.device)
  angles = torch.outer(position, torch.reciprocal(torch.pow(theta, exponents)))
  angles = torch.cat([angles, angles], 1)
  return torch.to(torch.stack([torch.cos(angles), torch.sin(angles)]), x.dtype)

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

def attention(self, x: Tensor, rotation: Tensor, bias: Tensor, w: Dict[str, Tensor], head: int, eps: float) -> Tensor:
  # x (B, T, C) -> (B, T, H·D)
  query = self.heads_of(x, w, "self_attn.q_proj", "self_attn.q_norm", head, rotation, eps)
  key = self.heads_of(x, w, "self_attn.k_proj", "self_attn.k_norm", head, rotation, eps)
  value = self.linear(x, w, "self_attn.v_proj").unflatten(2, [-1, head]).transpose(1, 2)
  each = query.size(1) // max(key.size(1), 1)  # heads of a group
  key = key.repeat_interleave(each, 1)
  return self.attend_masked(query, key, value.repeat_interleave(each, 1), [bias]).flatten(2)

def feed_forward(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (B, T, C) -> (B, T, F)
  gate, up = torch.chunk(self.linear(x, w, "mlp.gate_up_proj"), 2, -1)
  return torch.silu(gate) * up

def layer(self, x: Tensor, w: Dict[str, Tensor], rotation: Tensor, bias: Tensor, head: int, eps: float,
          terms: List[int]) -> Tensor:
  # x (B, T, C) -> (B, T, C); two terms
  if self.adds(terms, 0):
    h = self.attention(self.rms_norm(x, w, "input_layernorm", eps), rotation, bias, w, head, eps)
    x = self.add_linear(x, h, w, "self_attn.o_proj", terms, 0)
  if self.adds(terms, 1):
    h = self.feed_forward(self.rms_norm(x, w, "post_attention_layernorm", eps), w)
    x = self.add_linear(x, h, w, "mlp.down_proj", terms, 1)
  return x

def last_norm(self, x: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # (B, T, C) -> (B, T, C)
  return self.rms_norm(x, w, "norm", eps)
