# SANA (arXiv 2410.10629), as diffusers' SanaTransformer2DModel. B batch, L tokens of this rank, C width, H heads and D their
# size, those that look at the text H' and D', N neurons of the MLP, T text tokens, c values of a token. H, H' and N are those of
# the share that the weights are. attn1 is linear attention, attn2 looks at the text; their to_qkv and to_kv are several layers
# as one, and the rows of conv_inverted and conv_depth those of N values, then of their N gates.

def modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (S, 6·C) of S steps -> shift, factor (1 + scale), gate twice (6, S, 1, C)
  return self.table_modulations(w["scale_shift_table"], t)

def project(self, x: Tensor, m: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # x (B, L, C) -> packed queries, keys, values (B, L, 3, H, D)
  return self.linear(self.modulate(x, m[0], m[1], 1e-6), w, "attn1.to_qkv").unflatten(2, [3, -1, head])

def norm_weight(self, x: Tensor, w: Dict[str, Tensor], norm: int) -> Tensor:
  # of linear attention, of what looks at the text, of the text: for the first k of x (B, L, n, H, D), (k, H, D)
  name = ["attn1.norm_qk", "attn2.norm_q", "attn2.norm_k"][norm]
  return w[name + ".weight"].reshape([-1, x.size(3), x.size(4)])

def squares(self, x: Tensor, w: Dict[str, Tensor], norm: int) -> Tensor:
  # x (B, L, n, H, D) -> the sums of squares of the first k of n that have norms, (B, L, k) fp32
  return self.squares_of(x, 2 if norm == 0 else 1)

def normed(self, x: Tensor, squares: Tensor, w: Dict[str, Tensor], norm: int, width: int) -> Tensor:
  # x, of whose width the squares (B, L, k) are, with the first k of n normed in their place
  return self.norm_heads_(x, squares, width, self.norm_weight(x, w, norm), annotate(List[Tensor], []), 1e-5)

def sums(self, packed: Tensor, start: int, end: int) -> Tensor:
  # of some tokens of packed (B, L, 3, H, D) the products of values and keys, and the keys themselves: (B, H, D + 1, D) fp32
  part = torch.to(packed.slice(1, start, end), 6)
  keys = torch.relu(part.select(2, 1)).transpose(1, 2)  # (B, H, l, D)
  values = torch.constant_pad_nd(part.select(2, 2).permute([0, 2, 3, 1]), [0, 0, 0, 1], 1)  # (B, H, D + 1, l)
  return self.matmul(values, keys)

def attended(self, packed: Tensor, sums: Tensor) -> Tensor:
  # queries of packed (B, L, 3, H, D), sums (B, H, D + 1, D) of all tokens -> (B, L, H·D)
  queries = torch.relu(torch.to(packed.select(2, 0), 6)).permute([0, 2, 3, 1])  # (B, H, D, L)
  h = self.matmul(sums, queries)  # (B, H, D + 1, L)
  y = h.slice(2, 0, h.size(2) - 1) / (h.slice(2, h.size(2) - 1, h.size(2)) + 1e-15)
  return torch.to(y.flatten(1, 2).transpose(1, 2), packed.dtype)

def after_attention(self, x: Tensor, packed: Tensor, sums: Tensor, m: Tensor, w: Dict[str, Tensor],
                    terms: List[int]) -> Tensor:
  # x (B, L, C) -> (B, L, C); one term
  y = self.linear(self.attended(packed, sums), w, "attn1.to_out.0")
  if y.dtype == 5:
    y = torch.clamp(y, -65504, 65504)
  return self.add_gated(x, y, m[2], terms, 0)

def text_keys_values(self, text: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # text (B, T, C) -> (B, T, 2, H', D')
  return self.linear(text, w, "attn2.to_kv").unflatten(2, [2, -1, head])

def text_queries(self, x: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # x (B, L, C) -> (B, L, 1, H', D')
  return self.linear(x, w, "attn2.to_q").unflatten(2, [1, -1, head])

def after_text(self, x: Tensor, q: Tensor, text: Tensor, mask: List[Tensor], w: Dict[str, Tensor],
               terms: List[int]) -> Tensor:
  # x (B, L, C), q (B, L, 1, H', D'), text (B, T, 2, H', D'), mask (B, 1, 1, T) added to the scores -> (B, L, C); one term
  k, v = text.select(2, 0).transpose(1, 2), text.select(2, 1).transpose(1, 2)
  y = self.attend_masked(q.select(2, 0).transpose(1, 2), k, v, mask)
  return self.add_linear(x, y.flatten(2), w, "attn2.to_out.0", terms, 0)

def looked_around(self, x: Tensor, first: int, columns: int, w: Dict[str, Tensor]) -> Tensor:
  # hidden states x (B, l, 2·N) of tokens one after another, the first of which is at this position of a picture, 3×3-convolved
  # with zeros around them -> (B, l, 2·N)
  front = first % columns
  back = (columns - (front + x.size(1)) % columns) % columns
  rows = torch.constant_pad_nd(x, [0, 0, front, back]).unflatten(1, [-1, columns])  # (B, rows, columns, 2·N)
  y = self.convolve_depthwise(rows.permute([0, 3, 1, 2]), w, "ff.conv_depth", 3, [1, 1])
  return y.permute([0, 2, 3, 1]).flatten(1, 2).slice(1, front, front + x.size(1))

def after_mlp(self, x: Tensor, stretches: List[Tensor], bounds: List[int], columns: int, m: Tensor, w: Dict[str, Tensor],
              terms: List[int]) -> Tensor:
  # x (B, L, C), its tokens with their neighbours, and of each stretch the first position, and from where to where its own
  # tokens are -> (B, L, C); one term
  parts = annotate(List[Tensor], [])
  for i in range(len(stretches)):
    first, start, end = bounds[3 * i], bounds[3 * i + 1], bounds[3 * i + 2]
    h = torch.silu(self.linear(self.modulate(stretches[i], m[3], m[4], 1e-6), w, "ff.conv_inverted"))
    values, gates = torch.chunk(self.looked_around(h, first, columns, w).slice(1, start, end), 2, -1)
    parts.append(values * torch.silu(gates))
  h = parts[0] if len(parts) == 1 else torch.cat(parts, 1)  # (B, L, N)
  return self.add_gated(x, self.linear(h, w, "ff.conv_point"), m[5], terms, 0)

def embed(self, tokens: Tensor, positions: List[Tensor], w: Dict[str, Tensor]) -> Tensor:
  # (B, L, c), which are fp32 whatever the run's type; embeddings of positions, none or (L, C) in fp32 -> (B, L, C)
  x = self.linear(torch.to(tokens, w["patch_embed.proj.bias"].dtype), w, "patch_embed.proj")
  for p in positions:
    x = torch.to(x + p, x.dtype)
  return x.contiguous()

def predict(self, x: Tensor, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (B, L, C), t (1, C) -> (B, L, c) fp32
  m = w["scale_shift_table"] + t
  return torch.to(self.linear(self.modulate(x, m[0], 1 + m[1], 1e-6), w, "proj_out"), 6)

def kept(self, mask: Tensor) -> int:
  # mask (B, T): how many tokens there are up to the last that some text has, at least one
  last = (mask != 0) * (torch.arange(mask.size(1), dtype=4, device=mask.device) + 1)
  return max(1, int(last.max().item()))

def caption(self, embeds: Tensor, mask: Tensor, count: int, w: Dict[str, Tensor]) -> List[Tensor]:
  # embeds (B, S, text width), mask (B, S) of 1 and 0 -> of the first T tokens the projection (B, T, C), and what is added to
  # their scores (B, 1, 1, T)
  x = self.mlp_gelu_tanh(embeds.slice(1, 0, count), w, "caption_projection.linear_1", "caption_projection.linear_2")
  bias = (1 - torch.to(mask.slice(1, 0, count), embeds.dtype)) * -10000.0
  return [self.rms_norm(x, w, "caption_norm", 1e-5), bias.unsqueeze(1).unsqueeze(1)]

def timestep(self, value: float, like: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # the embedded timestep (1, C)
  return self.embed_number(value, like, w, "time_embed.emb.timestep_embedder")

def guidance(self, value: float, scale: float, like: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # the embedded guidance (1, C), which is multiplied by its scale in the type of the text
  scaled = self.rounded(value, like.dtype) * scale
  return self.embed_number(float(scaled.item()), like, w, "time_embed.guidance_embedder")

def guided_timestep(self, value: float, like: Tensor, guidance: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # the embedded timestep and guidance (1, C)
  return self.embed_number(value, like, w, "time_embed.timestep_embedder") + guidance

def timestep_modulation(self, embedded: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # of (1, C) shift, scale, gate twice (1, 6·C)
  return self.linear(torch.silu(embedded), w, "time_embed.linear")

def chosen(self, x: Tensor, second: int, length: int) -> Tensor:
  # x (B, T, ...) of tokens -> the first and those from the second one on, filled up to S with zeros, (B, S, ...)
  out = torch.cat([x.slice(1, 0, 1), x.slice(1, second, x.size(1))], 1).slice(1, 0, length)
  missing = torch.zeros([1], dtype=out.dtype, device=out.device).expand_as(out.slice(1, 0, 1))
  return torch.cat([out] + [missing for i in range(length - out.size(1))], 1)
