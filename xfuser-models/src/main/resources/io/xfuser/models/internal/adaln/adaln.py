# B batch, F frames (1 for pictures), L tokens of this rank, T text tokens, C width, H heads, D head size, N neurons of the
# MLP, c values of a token. H and N are those of the share that the weights are; the whole has H·D = C and N = 4C. attn1 is
# self-attention, attn2 looks at the caption; their to_qkv and to_kv are several layers as one.

def modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (S, 6·C) of S steps -> shift, factor (1 + scale), gate twice (6, S, 1, C) and, where biases_moved, two rows more
  m = self.table_modulations(w["scale_shift_table"], t)
  return torch.cat([m, self.moved_biases(m, w)], 0) if self.biases_moved(m, w) else m

def biases_moved(self, like: Tensor, w: Dict[str, Tensor]) -> bool:
  # Whether the bias b of the attention to the text is added with the gated attention before it, x + gate·(y + b / gate), and
  # taken from the queries that read the sum: on CUDA, where a product that is summed to what is there adds its bias in a
  # kernel of its own. Not in fp16, which b / gate may be beyond, nor of shares or of weights that are not plain.
  if like.is_cpu or like.dtype == 5:
    return False
  for layer in ["attn1.to_out.0", "attn2.to_q", "attn2.to_out.0"]:
    if not layer + ".weight" in w or not layer + ".bias" in w:
      return False
    weight = w[layer + ".weight"]
    if weight.dtype != like.dtype or weight.size(0) != weight.size(1):
      return False
  return True

def moved_biases(self, m: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # m (6, S, 1, C), whose first gate is kept from 0 -> (2, S, 1, C): the biases of attn1.to_out.0 and attn2.to_q with it
  bias, gate = w["attn2.to_out.0.bias"], m[2]
  gate.copy_(torch.masked_fill(gate, torch.abs(gate) < 1e-12, 1e-12))
  first = torch.to(bias, 6) / torch.to(gate, 6) + w["attn1.to_out.0.bias"]
  return torch.stack([torch.to(first, m.dtype), self.linear(torch.neg(bias), w, "attn2.to_q").expand(gate.size())], 0)

def modulated(self, x: Tensor, m: Tensor, eps: float) -> Tensor:
  # x (B, L, C) as a block's first layer reads it; m has the shift and the factor of that first
  return self.modulate(x, m[0], m[1], eps)

def before_attention(self, x: Tensor, m: Tensor, w: Dict[str, Tensor], head: int, eps: float) -> Tensor:
  # x (B·F, L, C), m of modulation for one step, head is D -> packed queries, keys, values (B·F, L, 3, H, D)
  h = self.modulate(x, m[0], m[1], eps)
  return self.linear(h, w, "attn1.to_qkv").unflatten(2, [3, -1, head])

def attend_text(self, q: Tensor, text_kv: Tensor, mask: List[Tensor]) -> Tensor:
  # q (B·F, L, H·D), text_kv (B, T, 2, H, D), mask none or (B, 1, 1, T) added to the scores -> (B·F, L, H·D)
  # the frames of a video look at one caption, so they are queries of one row
  qh = q.view(text_kv.size(0), -1, text_kv.size(3), text_kv.size(4)).transpose(1, 2)
  k, v = text_kv.select(2, 0).transpose(1, 2), text_kv.select(2, 1).transpose(1, 2)
  return self.attend_masked(qh, k, v, mask).reshape(q.size(0), q.size(1), q.size(2))

def after_attention(self, x: Tensor, attended: Tensor, m: Tensor, text_kv: Tensor, mask: List[Tensor], w: Dict[str, Tensor],
                    eps: float, terms: List[int]) -> Tensor:
  # x (B·F, L, C), attended (B·F, L, H, D), text_kv (B, T, 2, H, D), mask none or (B, 1, 1, T) -> (B·F, L, C); three terms
  if m.size(0) == 8 and terms[0] == 0 and terms[1] == 3 and terms[2] != 0:
    y = self.product(attended.flatten(2), w["attn1.to_out.0.weight"], m[6].flatten())
    x = self.add_gated(x, y, m[2], terms, 0)
    text = self.attend_text(self.product(x, w["attn2.to_q.weight"], m[7].flatten()), text_kv, mask)
    x = self.product_add(text, w["attn2.to_out.0.weight"], None, x, True)
    terms = [2, 3, terms[2]]
  if self.adds(terms, 0):
    x = self.add_gated(x, self.linear(attended.flatten(2), w, "attn1.to_out.0"), m[2], terms, 0)
  if self.adds(terms, 1):
    text = self.attend_text(self.linear(x, w, "attn2.to_q"), text_kv, mask)
    x = self.add_linear(x, text, w, "attn2.to_out.0", terms, 1)
  if self.adds(terms, 2):
    n = self.modulate(x, m[3], m[4], eps)
    x = self.add_gated(x, self.mlp_gelu_tanh(n, w, "ff.net.0.proj", "ff.net.2"), m[5], terms, 2)
  return x

def text_key_values(self, text: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # text (B, T, C), head is D -> (B, T, 2, H, D)
  return self.linear(text, w, "attn2.to_kv").unflatten(2, [2, -1, head])

def predict(self, x: Tensor, t: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # x (B, L, C), t (1, C) -> (B, L, c)
  m = w["scale_shift_table"] + t
  return self.linear(self.modulate(x, m[0], 1 + m[1], eps), w, "proj_out")

def project_caption(self, text: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.mlp_gelu_tanh(text, w, "caption_projection.linear_1", "caption_projection.linear_2")

def kept_text(self, mask: Tensor) -> int:
  # mask (B, T): tokens up to the last that any prompt has; all where a prompt has none
  lengths = torch.sum(mask != 0, [1])
  if int(lengths.min().item()) == 0:
    return mask.size(1)
  last = torch.to(mask != 0, 4) * (torch.arange(mask.size(1), dtype=4, device=mask.device) + 1)
  return int(last.max().item())

def mask_bias(self, mask: Tensor, like: Tensor) -> Tensor:
  # mask (B, T) of 1 and 0 -> (B, 1, 1, T), 0 where text is and -10000 elsewhere
  return ((1 - torch.to(mask, like.dtype)) * -10000.0).unsqueeze(1).unsqueeze(1)

def size_condition(self, height: float, width: float, ratio: float, like: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (1, C): embeddings of height, width and aspect ratio, one third each
  sizes = [self.embed_number(size, like, w, "adaln_single.emb.resolution_embedder") for size in [height, width]]
  return torch.cat(sizes + [self.embed_number(ratio, like, w, "adaln_single.emb.aspect_ratio_embedder")], 1)

def timestep(self, value: float, like: Tensor, w: Dict[str, Tensor], sizes: List[Tensor]) -> Tensor:
  # the embedded timestep, with sizes if they are a condition: (1, C)
  embedded = self.embed_number(value, like, w, "adaln_single.emb.timestep_embedder")
  for s in sizes:
    embedded = embedded + s
  return embedded

def timestep_modulation(self, embedded: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # adaLN-single: of (1, C) shift, scale, gate twice (1, 6·C)
  return self.linear(torch.silu(embedded), w, "adaln_single.linear")
