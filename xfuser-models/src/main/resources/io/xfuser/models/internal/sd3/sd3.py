# MM-DiT (arXiv 2403.03206). B batch, L image tokens of this rank, T text tokens, C width, H heads, D head size, N neurons
# of an MLP, c values of a token. H and N are those of the share that the weights are; the whole has H·D = C and N = 4C.
# A block's weights:
#  0 image's modulation (6C or, with a second attention, 9C, C)   1 its bias
#  2 text's modulation (6C or, in the last block, 2C, C)          3 its bias
#  4 image's Q/K/V (3·H·D, C)     5 its bias       6 text's Q/K/V (3·H·D, C)   7 its bias
#  8 image's output (C, H·D)      9 its bias      10 MLP in (N, C)            11 its bias  12 MLP out (C, N)  13 its bias
# then, but in the last block, text's output, MLP in and MLP out with their biases; then, with a second attention, its
# Q/K/V and output with their biases (at `second`); then, if Q and K are normed, norms (D) of image's Q and K, of text's,
# and of the second attention's (at `norms`, else 0)

def modulation(self, t: Tensor, w: List[Tensor]) -> Tensor:
  # t (B, C) -> shift, scale, gate twice or thrice, then the same for text, where the last block has scale, shift:
  # (8, 12 or 15, B, 1, C)
  image = self.modulations(t, w[0], w[1], w[0].size(0) // t.size(1))
  return torch.cat([image, self.modulations(t, w[2], w[3], w[2].size(0) // t.size(1))], 0)

def project(self, x: Tensor, w: List[Tensor], first: int, norms: int, head: int) -> Tensor:
  # x (B, L, C), head is D -> queries, keys, values (B, L, 3, H, D)
  packed = self.linear(x, w[first], w[first + 1]).unflatten(2, [3, -1, head])
  if norms > 0:
    return self.rms_norm_heads(packed, w[norms], w[norms + 1], 1e-6)
  return packed

def before_attention(self, x: Tensor, m: Tensor, w: List[Tensor], norms: int, head: int) -> Tensor:
  # x (B, L, C), m of modulation -> (B, L, 3, H, D)
  return self.project(self.modulate_rows(x, m[0], m[1], 1e-6), w, 4, norms, head)

def before_joint(self, x: Tensor, text: Tensor, m: Tensor, w: List[Tensor], norms: int, head: int) -> Tensor:
  # x (B, L, C), text (B, T, C), m of modulation -> (B, T + L, 3, H, D), text first
  shift, scale = w[0].size(0) // x.size(2), w[0].size(0) // x.size(2) + 1
  if w[2].size(0) == 2 * x.size(2):
    shift, scale = scale, shift
  if norms > 0:
    text_qkv = self.project(self.modulate_rows(text, m[shift], m[scale], 1e-6), w, 6, norms + 2, head)
  else:
    text_qkv = self.project(self.modulate_rows(text, m[shift], m[scale], 1e-6), w, 6, 0, head)
  return torch.cat([text_qkv, self.before_attention(x, m, w, norms, head)], 1)

def before_second(self, x: Tensor, m: Tensor, w: List[Tensor], second: int, norms: int, head: int) -> Tensor:
  # x (B, L, C) -> (B, L, 3, H, D)
  h = self.modulate_rows(x, m[6], m[7], 1e-6)
  if norms > 0:
    return self.project(h, w, second, norms + 4, head)
  return self.project(h, w, second, 0, head)

def after_attention(self, x: Tensor, attended: Tensor, others: List[Tensor], m: Tensor, w: List[Tensor],
                    second: int, terms: List[int]) -> Tensor:
  # x (B, L, C), attended (B, T + L, H, D), others: what the second attention gives, (B, L, H, D) -> (B, L, C); two terms,
  # three with a second attention
  image = attended.slice(1, attended.size(1) - x.size(1), attended.size(1))
  h = self.add_attended(x, image, m, w, 8, terms)
  if len(others) > 0 and self.adds(terms, 1):
    h = self.add_gated(h, self.linear(others[0].flatten(2), w[second + 2], w[second + 3]), m[8], terms, 1)
  return self.add_mlp(h, m, w, 10, terms, 1 + len(others))

def text_after_attention(self, text: Tensor, attended: Tensor, m: Tensor, w: List[Tensor], terms: List[int]) -> Tensor:
  # text (B, T, C), attended (B, T + L, H, D) -> (B, T, C); two terms
  n = m.slice(0, w[0].size(0) // text.size(2), m.size(0))
  return self.stream_after(text, attended.slice(1, 0, text.size(1)), n, w, 14, terms)

def crop(self, positions: List[int], columns: int, corner: int, side: int, like: Tensor) -> Tensor:
  # positions in a picture of so many columns -> those in the table of side rows and columns, (L); corner is the table's
  # position of the picture's first token
  index = torch.tensor(positions, dtype=4, device=like.device)
  return corner + torch.floor_divide(index, columns) * side + index % columns

def embed(self, tokens: Tensor, positions: Tensor, w: List[Tensor]) -> Tensor:
  # tokens (B, L, c), positions (L) of the table w[2] (1, all, C) -> (B, L, C)
  return self.linear(tokens, w[0], w[1]).add_(torch.index_select(w[2], 1, positions))

def embed_text(self, embeds: Tensor, w: List[Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.linear(embeds, w[0], w[1])

def embed_pooled(self, pooled: Tensor, w: List[Tensor]) -> Tensor:
  # (B, pooled width) -> (B, C)
  return self.silu_mlp(pooled, w, 6)

def condition(self, value: float, pooled: Tensor, w: List[Tensor]) -> Tensor:
  # the timestep and the pooled text (B, C), after the SiLU that every modulation begins with: (B, C)
  return torch.silu(self.embed_number(value, w, 2) + pooled)

def no_text(self, like: Tensor, tokens: int, width: int) -> Tensor:
  # (B, ...) -> zeros (B, tokens, width)
  return torch.zeros([like.size(0), tokens, width], dtype=like.dtype, device=like.device)

def join_texts(self, first: Tensor, second: Tensor, third: Tensor) -> Tensor:
  # states of the CLIPs (B, T1, C1), (B, T1, C2), padded to T5's width, then T5's (B, T2, C3) -> (B, T1 + T2, C3)
  both = torch.cat([first, second], -1)
  return torch.cat([torch.constant_pad_nd(both, [0, third.size(2) - both.size(2)], 0), third], 1)
