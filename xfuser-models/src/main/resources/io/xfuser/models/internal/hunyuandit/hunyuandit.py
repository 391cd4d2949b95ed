# B batch, L tokens of this rank, T text tokens, C width, H heads, D head size, M neurons of the MLP, E width of the text, c
# values of a token. H and M are those of the share that the weights are; the whole has H·D = C.
# attn1 is self-attention, attn2 looks at the text; their to_qkv and to_kv, and the pooler's kv_proj, are several layers as
# one, and so are the norms of queries and keys, attn1.norm_qk.

def norm(self, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return self.layer_norm(x, w, name, 1e-6)

def join_skip(self, x: Tensor, skip: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x and skip (B, L, C) -> (B, L, C)
  return self.linear(self.norm(torch.cat([x, skip], 2), w, "skip_norm"), w, "skip_linear")

def modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (B, C) -> shift (1, B, 1, C)
  return self.modulations(t, w, "norm1.linear")

def before_attention(self, x: Tensor, m: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # x (B, L, C), m of modulation, head is D -> packed queries, keys, values (B, L, 3, H, D), of which norm_turn_ makes the rest
  h = torch.add_(self.norm(x, w, "norm1.norm"), m[0])
  return self.linear(h, w, "attn1.to_qkv").unflatten(2, [3, -1, head])

def norm_turn_(self, packed: Tensor, rotation: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # norms the queries and keys of packed (B, L, 3, H, D), and turns them by rotation, in their place
  return self.layer_norm_rotate_(packed, [rotation], w, "attn1.norm_qk", 1e-6)

def after_attention(self, x: Tensor, attended: Tensor, text_kv: Tensor, rotation: Tensor, w: Dict[str, Tensor],
                    terms: List[int]) -> Tensor:
  # x (B, L, C), attended (B, L, H, D), text_kv (B, T, 2, H, D), rotation (L, D/2, 2) -> (B, L, C); three terms
  if self.adds(terms, 0):
    x = self.add_linear(x, attended.flatten(2), w, "attn1.to_out.0", terms, 0)
  if self.adds(terms, 1):
    q = self.linear(self.norm(x, w, "norm2"), w, "attn2.to_q").unflatten(2, [text_kv.size(3), -1])
    q = self.rotate(self.norm(q, w, "attn2.norm_q"), rotation)
    k, v = text_kv.select(2, 0), text_kv.select(2, 1)
    text = self.attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))  # (B, L, H, D)
    x = self.add_linear(x, text.flatten(2), w, "attn2.to_out.0", terms, 1)
  if self.adds(terms, 2):
    x = self.add_mlp_gelu_tanh(x, self.norm(x, w, "norm3"), w, "ff.net.0.proj", "ff.net.2", terms, 2)
  return x

def bias_as_neuron(self, first: List[Tensor], second: List[Tensor]) -> List[Tensor]:
  # The weight (M, C) and bias of the MLP's first layer, the weight (C, M) and bias of its second, which is summed to x: with
  # eight neurons more, as products want, one of which is GELU(8), in every type 8, times an eighth of the second bias ->
  # the weight and bias of the first, the weight of the second
  inner, bias = first[1], second[1]
  more = torch.zeros([8, bias.size(0)], dtype=bias.dtype, device=bias.device)
  constant = torch.zeros([8], dtype=bias.dtype, device=bias.device)
  constant.slice(0, 0, 1).fill_(8)
  by = torch.constant_pad_nd((bias * 0.125).unsqueeze(1), [0, 7], 0)
  return [torch.cat([first[0], more], 0), torch.cat([inner, constant], 0), torch.cat([second[0], by], 1)]

def text_key_values(self, text: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # text (B, T, E), head is D -> (B, T, 2, H, D)
  packed = self.linear(text, w, "attn2.to_kv").unflatten(2, [2, -1, head])
  k = packed.select(2, 0)
  k.copy_(self.norm(k, w, "attn2.norm_k"))
  return packed

def text(self, bert: Tensor, t5: Tensor, bert_mask: Tensor, t5_mask: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # bert (B, 77, E), t5 (B, 256, F), their masks (B, 77), (B, 256) -> (B, T, E), learned where there is no text
  present = torch.cat([bert_mask, t5_mask], 1).unsqueeze(2) != 0
  return torch.where(present, torch.cat([bert, self.silu_mlp(t5, w, "text_embedder")], 1), w["text_embedding_padding"])

def pool(self, t5: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, 256, F) -> (B, P): what the mean of all tokens, padding too, finds among them
  tokens = torch.cat([t5.mean([1], True), t5], 1) + w["time_extra_emb.pooler.positional_embedding"]
  q = self.linear(tokens.slice(1, 0, 1), w, "time_extra_emb.pooler.q_proj").unflatten(2, [8, -1])
  kv = self.linear(tokens, w, "time_extra_emb.pooler.kv_proj").unflatten(2, [2, 8, -1])
  k, v = kv.select(2, 0), kv.select(2, 1)
  pooled = self.attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
  return self.linear(pooled.flatten(1), w, "time_extra_emb.pooler.c_proj")

def rounded_sinusoid(self, value: float, like: Tensor) -> Tensor:
  # (1, 256); numbers are in the type of the latents
  return self.sinusoid(float(self.rounded(value, like.dtype).item()), like)

def extra(self, t5: Tensor, sizes: List[float], style: bool, w: Dict[str, Tensor]) -> Tensor:
  # (B, C): the pooled text and, with style, the sizes and the style
  condition = [self.pool(t5, w)]
  if style:
    known = [self.rounded_sinusoid(size, t5) for size in sizes] + [w["time_extra_emb.style_embedder.weight"]]
    condition = condition + [torch.cat(known, 1).expand([t5.size(0), -1])]
  return self.silu_mlp(torch.cat(condition, 1), w, "time_extra_emb.extra_embedder")

def timestep(self, value: float, extra: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # extra (B, C) -> (B, C), after the SiLU that all its readers begin with
  return torch.silu(self.silu_mlp(self.rounded_sinusoid(value, extra), w, "time_extra_emb.timestep_embedder") + extra)

def halves_to_even(self, x: float) -> int:
  # Python's round
  return int(torch.round(self.rounded(x, 7)).item())

def axis(self, count: int, longest: int, positions: Tensor, head: int) -> Tensor:
  # angles (L, D/4) of positions (L) along an axis of count tokens. The picture lies in the middle of the grid of one of
  # 512 pixels, 32 tokens, which its longer axis fills; as in diffusers, the end is scaled and not the length.
  length = self.halves_to_even(32. / longest * count)
  start = self.halves_to_even((32 - length) / 2.)
  end = (start + length) * (count - 1) / count
  places = torch.linspace(start, end, count, dtype=6, device=positions.device)
  half = head // 2
  frequencies = torch.reciprocal(torch.pow(10000., torch.arange(0, half, 2, dtype=6, device=positions.device) / half))
  return torch.outer(torch.index_select(places, 0, positions), frequencies)

def rotation(self, at: Tensor, rows: int, columns: int, head: int) -> Tensor:
  # at (L, 4) -> cosines and sines (L, D/2, 2) in fp32: of the column, then of the row
  longest = max(rows, columns)
  x = self.axis(columns, longest, at.select(1, 3), head)
  y = self.axis(rows, longest, at.select(1, 2), head)
  angles = torch.cat([x, y], 1)
  return torch.stack([torch.cos(angles), torch.sin(angles)], 2)
