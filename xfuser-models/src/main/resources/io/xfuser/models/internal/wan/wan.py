# Wan (arXiv 2503.20314), as diffusers' WanTransformer3DModel. B batch, L tokens of this rank, C width, H heads, D head size, N
# neurons of the MLP, T text tokens, c values of a token. H and N are those of the share that the weights are. attn1 is
# self-attention, attn2 looks at the text, and at what a picture is seen as; their to_qkv, to_kv and to_added_kv are several layers
# as one, their norm_qk two norms. Tables of modulations and the norms of tokens are fp32, whatever the run's type. Where the
# first `still` of the tokens are at another timestep than the others, modulations m (…, S, 1, C) are of S = 2 steps: theirs is
# the second one.

def modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (S, 6·C) of S steps, fp32 -> shift, factor (1 + scale), gate twice (6, S, 1, C)
  return self.table_modulations(w["scale_shift_table"].squeeze(0), t)

def normed_exactly(self, x: Tensor, shift: Tensor, factor: Tensor, eps: float) -> Tensor:
  # LN(x)·factor + shift (C) in fp32, as x is; only on CPUs libtorch's norm takes them beside tokens in half precision
  if x.is_cpu or x.dtype == 6:
    return self.modulate(x, shift, factor, eps)
  return torch.to(self.modulate(torch.to(x, 6), shift, factor, eps), x.dtype)

def add_exactly(self, x: Tensor, y: Tensor, gate: Tensor, terms: List[int], term: int) -> Tensor:
  # x (B, L, C) + gate·y in fp32, as x is
  if x.dtype == 6:
    return self.add_gated(x, y, gate, terms, term)
  out = torch.empty_like(x)
  if terms[2] == 0:
    return torch.mul(y, gate, out=out)
  return torch.addcmul(x, y, gate, out=out)

def normed_at(self, x: Tensor, shift: Tensor, factor: Tensor, still: int, eps: float) -> Tensor:
  # x (B, L, C), shift and factor (S, 1, C)
  if still == 0 or still == x.size(1):
    step = 0 if still == 0 else 1
    return self.normed_exactly(x, shift[step], factor[step], eps)
  parts = [self.normed_exactly(x.slice(1, 0, still), shift[1], factor[1], eps)]
  return torch.cat(parts + [self.normed_exactly(x.slice(1, still), shift[0], factor[0], eps)], 1)

def add_at(self, x: Tensor, y: Tensor, gate: Tensor, still: int, terms: List[int], term: int) -> Tensor:
  # x (B, L, C), y likewise, gate (S, 1, C)
  if still == 0 or still == x.size(1):
    return self.add_exactly(x, y, gate[0 if still == 0 else 1], terms, term)
  parts = [self.add_exactly(x.slice(1, 0, still), y.slice(1, 0, still), gate[1], terms, term)]
  return torch.cat(parts + [self.add_exactly(x.slice(1, still), y.slice(1, still), gate[0], terms, term)], 1)

def modulated(self, x: Tensor, m: Tensor, still: int, eps: float) -> Tensor:
  # x (B, L, C) as a block's first layer reads it
  return self.normed_at(x, m[0], m[1], still, eps)

def project(self, x: Tensor, m: Tensor, still: int, w: Dict[str, Tensor], head: int, eps: float) -> Tensor:
  # x (B, L, C), m of modulation -> packed queries, keys, values (B, L, 3, H, D)
  return self.linear(self.modulated(x, m, still, eps), w, "attn1.to_qkv").unflatten(2, [3, -1, head])

def norm_weight(self, x: Tensor, w: Dict[str, Tensor], norm: int) -> Tensor:
  # of self-attention, of what looks at the text, of the text, of a picture: for the first k of x (B, l, n, H, D), (k, H, D)
  name = ["attn1.norm_qk", "attn2.norm_q", "attn2.norm_k", "attn2.norm_added_k"][norm]
  return w[name + ".weight"].unflatten(1, [-1, x.size(4)])

def squares(self, x: Tensor, w: Dict[str, Tensor], norm: int) -> Tensor:
  # x (B, l, n, H, D) -> the sums of squares of the first k of n that have norms, (B, l, k) fp32
  return self.squares_of(x, 2 if norm == 0 else 1)

def normed(self, x: Tensor, squares: Tensor, w: Dict[str, Tensor], norm: int, width: int, eps: float,
           rotation: List[Tensor]) -> Tensor:
  # x, of whose width the squares (B, l, k) are, with the first k of n normed and turned in their place
  return self.norm_heads_(x, squares, width, self.norm_weight(x, w, norm), rotation, eps)

def after_attention(self, x: Tensor, attended: Tensor, m: Tensor, still: int, w: Dict[str, Tensor],
                    terms: List[int]) -> Tensor:
  # x (B, L, C), attended (B, L, H, D) -> (B, L, C); one term
  return self.add_at(x, self.linear(attended.flatten(2), w, "attn1.to_out.0"), m[2], still, terms, 0)

def text_queries(self, x: Tensor, w: Dict[str, Tensor], head: int, eps: float) -> Tensor:
  # x (B, L, C) -> (B, L, 1, H, D)
  n = x
  if "norm2.weight" in w:
    n = self.normed_exactly(x, w["norm2.bias"], w["norm2.weight"], eps)
  return self.linear(n, w, "attn2.to_q").unflatten(2, [1, -1, head])

def keys_values(self, tokens: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # tokens of the text (B, T, C) -> (B, T, 2, H, D)
  return self.linear(tokens, w, "attn2.to_kv").unflatten(2, [2, -1, head])

def added_keys_values(self, tokens: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # tokens of a picture (B, I, C) -> (B, I, 2, H, D)
  return self.linear(tokens, w, "attn2.to_added_kv").unflatten(2, [2, -1, head])

def beside(self, kv: Tensor, more: Tensor) -> Tensor:
  # (B, I, 2, H, D) and (B, T, 2, H, D) -> (B, I + T, 2, H, D)
  return torch.cat([kv, more], 1)

def looked_at(self, q: Tensor, kv: Tensor) -> Tensor:
  # q (B, L, 1, H, D), kv (B, T, 2, H, D) -> (B, L, H·D)
  queries = q.select(2, 0).transpose(1, 2)
  return self.attend(queries, kv.select(2, 0).transpose(1, 2), kv.select(2, 1).transpose(1, 2)).flatten(2)

def after_text(self, x: Tensor, q: Tensor, kv: Tensor, seen: int, m: Tensor, still: int, w: Dict[str, Tensor], eps: float,
               terms: List[int]) -> Tensor:
  # x (B, L, C), q (B, L, 1, H, D), keys and values (B, seen + T, 2, H, D) of a picture and of the text, which are attended to
  # apart -> (B, L, C); two terms
  if self.adds(terms, 0):
    y = self.looked_at(q, kv.slice(1, seen))
    if seen > 0:
      y = y + self.looked_at(q, kv.slice(1, 0, seen))
    x = self.add_linear(x, y, w, "attn2.to_out.0", terms, 0)
  if self.adds(terms, 1):
    n = self.normed_at(x, m[3], m[4], still, eps)
    x = self.add_at(x, self.mlp_gelu_tanh(n, w, "ffn.net.0.proj", "ffn.net.2"), m[5], still, terms, 1)
  return x

def embed(self, tokens: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, L, c), which are fp32 whatever the run's type -> (B, L, C)
  return self.linear(torch.to(tokens, w["patch_embedding.bias"].dtype), w, "patch_embedding").contiguous()

def predict(self, x: Tensor, t: Tensor, still: int, w: Dict[str, Tensor], eps: float) -> Tensor:
  # x (B, L, C), t (S, C) -> (B, L, c)
  m = w["scale_shift_table"].squeeze(0).unsqueeze(1) + torch.to(t, 6)  # (2, S, C)
  return self.linear(self.normed_at(x, m[0], 1 + m[1], still, eps), w, "proj_out")

def project_text(self, embeds: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.mlp_gelu_tanh(embeds, w, "condition_embedder.text_embedder.linear_1",
                            "condition_embedder.text_embedder.linear_2")

def project_picture(self, seen: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # of what a picture is seen as (B, I, picture width) -> (B, I, C)
  x = seen
  if "condition_embedder.image_embedder.pos_embed" in w:
    x = x + w["condition_embedder.image_embedder.pos_embed"]
  x = self.normed_exactly(x, w["condition_embedder.image_embedder.norm1.bias"],
                          w["condition_embedder.image_embedder.norm1.weight"], 1e-5)
  x = torch.gelu(self.linear(x, w, "condition_embedder.image_embedder.ff.net.0.proj"))
  x = self.linear(x, w, "condition_embedder.image_embedder.ff.net.2")
  return self.normed_exactly(x, w["condition_embedder.image_embedder.norm2.bias"],
                             w["condition_embedder.image_embedder.norm2.weight"], 1e-5)

def embedding_weight(self, kernel: Tensor, own: int) -> Tensor:
  # a convolution (C, c + e, f, p, p) -> linear (C, n·c + n·e): what is beside a token's own values comes after them
  parts = [kernel.slice(1, 0, own), kernel.slice(1, own)]
  return torch.cat([part.movedim(1, -1).flatten(1) for part in parts], 1)

def timestep(self, value: float, like: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # the embedded timestep (1, C), of the type of like, computed in fp32
  name = "condition_embedder.time_embedder"
  return torch.to(self.embed_number(value, w[name + ".linear_1.bias"], w, name), like.dtype)

def timestep_modulation(self, embedded: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # of (1, C) shift, scale, gate twice (1, 6·C) fp32
  return torch.to(self.linear(torch.silu(embedded), w, "condition_embedder.time_proj"), 6)

def rotation(self, at: Tensor, axes: List[int]) -> Tensor:
  # at (L, 4): segment, frame, row, column -> cosines and sines (L, D/2, 2) fp32
  return self.turns([at.select(1, 1), at.select(1, 2), at.select(1, 3)], axes, 10000.)

def filled(self, states: Tensor, mask: Tensor, length: int) -> Tensor:
  # states (B, t, text width) of texts, of which mask (B, t) says what is no padding -> with zeros there and behind, (B, T, text width)
  return torch.constant_pad_nd(states * torch.to(mask, states.dtype).unsqueeze(2), [0, 0, 0, length - states.size(1)])
