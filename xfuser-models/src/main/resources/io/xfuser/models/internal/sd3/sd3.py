# MM-DiT (arXiv 2403.03206). B batch, L image tokens of this rank, T text tokens, C width, H heads, D head size, N neurons
# of an MLP, c values of a token. H and N are those of the share that the weights are; the whole has H·D = C and N = 4C.
# to_qkv and to_added_qkv are three layers as one, norm_qk and norm_added_qk two norms. Some blocks have a second attention, attn2, over image tokens alone; the
# last one gives no text. Where queries and keys are normed, those of all attentions are.

def modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (B, C) -> shift, factor (1 + scale), gate twice or thrice, then the same for text, where the last block has factor, shift:
  # (8, 12 or 15, B, 1, C)
  text = self.modulations(t, w, "norm1_context.linear")
  if text.size(0) == 2:
    text[0].add_(1)
  else:
    self.with_factors_(text)
  return torch.cat([self.with_factors_(self.modulations(t, w, "norm1.linear")), text], 0)

def image_modulations(self, w: Dict[str, Tensor]) -> int:
  # how many of them are the image's
  return 9 if self.has_layer(w, "attn2.to_qkv") else 6

def norm_heads_(self, packed: Tensor, w: Dict[str, Tensor], norm: str) -> Tensor:
  # norms queries and keys of packed (B, l, 3, H, D), if they are
  if norm + ".weight" in w:
    self.norm_rotate_(packed, annotate(List[Tensor], []), w, norm, 1e-6)
  return packed

def before_joint(self, x: List[Tensor], m: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # x: image (B, L, C) and, with the first patch, text (B, T, C), m of modulation -> (B, T + L, 3, H, D), text first, of which
  # rest_joint makes the rest
  text = 0 if len(x) == 1 else x[1].size(1)
  return self.start_packed(self.modulate(x[0], m[0], m[1], 1e-6, text > 0), text, w, head)

def rest_joint(self, packed: Tensor, x: List[Tensor], m: Tensor, w: Dict[str, Tensor]) -> Tensor:
  shift = self.image_modulations(w)
  factor = shift + 1
  if m.size(0) == shift + 2:
    shift, factor = factor, shift
  text = 0
  for t in x[1:]:
    text = t.size(1)
    out = packed.slice(1, 0, text)
    self.linear_into(self.modulate(t, m[shift], m[factor], 1e-6, True), w, "attn.to_added_qkv", out.flatten(2))
    self.norm_heads_(out, w, "attn.norm_added_qk")
  self.norm_heads_(packed.slice(1, text, packed.size(1)), w, "attn.norm_qk")
  return packed

def before_second(self, x: Tensor, m: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # x (B, L, C) -> (B, L, 3, H, D), of which rest_second makes the rest
  return self.linear(self.modulate(x, m[6], m[7], 1e-6), w, "attn2.to_qkv").unflatten(2, [3, -1, head])

def rest_second(self, packed: Tensor, w: Dict[str, Tensor]) -> Tensor:
  return self.norm_heads_(packed, w, "attn2.norm_qk")

def after_attention(self, x: Tensor, attended: Tensor, others: List[Tensor], m: Tensor, w: Dict[str, Tensor],
                    terms: List[int]) -> Tensor:
  # x (B, L, C), attended (B, T + L, H, D), others: what the second attention gives, (B, L, H, D) -> (B, L, C); two terms,
  # three with a second attention
  image = attended.slice(1, attended.size(1) - x.size(1), attended.size(1))
  if len(others) == 0:
    return self.image_after(x, image, m, w, terms)
  h = self.add_attended(x, image, m, w, "attn.to_out.0", terms)
  if self.adds(terms, 1):
    h = self.add_gated(h, self.linear(others[0].flatten(2), w, "attn2.to_out.0"), m[8], terms, 1)
  return self.add_mlp(h, m, w, "ff.net.0.proj", "ff.net.2", terms, 2)

def text_after_attention(self, text: Tensor, attended: Tensor, m: Tensor, w: Dict[str, Tensor],
                         terms: List[int]) -> Tensor:
  # text (B, T, C), attended (B, T + L, H, D) -> (B, T, C); two terms
  n = m.slice(0, self.image_modulations(w), m.size(0))
  return self.text_after(text, attended.slice(1, 0, text.size(1)), n, w, terms)

def crop(self, at: Tensor, corner: int, side: int) -> Tensor:
  # at (L, 4) in a picture -> positions in the table of side rows and columns, (L); corner is the table's position of the
  # picture's first token
  return corner + at.select(1, 2) * side + at.select(1, 3)

def embed(self, tokens: Tensor, positions: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # tokens (B, L, c), positions (L) of the table (1, all, C) -> (B, L, C)
  x = self.linear(tokens, w, "pos_embed.proj")
  return x.add_(torch.index_select(w["pos_embed.pos_embed"], 1, positions))

def embed_text(self, embeds: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.linear(embeds, w, "context_embedder")

def embed_pooled(self, pooled: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, pooled width) -> (B, C)
  return self.silu_mlp(pooled, w, "time_text_embed.text_embedder")

def condition(self, value: float, pooled: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # the timestep and the pooled text (B, C), after the SiLU that every modulation begins with: (B, C)
  return torch.silu(self.embed_number(value, pooled, w, "time_text_embed.timestep_embedder") + pooled)

def no_text(self, like: Tensor, tokens: int, width: int) -> Tensor:
  # (B, ...) -> zeros (B, tokens, width)
  return torch.zeros([like.size(0), tokens, width], dtype=like.dtype, device=like.device)

def join_texts(self, first: Tensor, second: Tensor, third: Tensor) -> Tensor:
  # states of the CLIPs (B, T1, C1), (B, T1, C2), padded to T5's width, then T5's (B, T2, C3) -> (B, T1 + T2, C3)
  both = torch.cat([first, second], -1)
  return torch.cat([torch.constant_pad_nd(both, [0, third.size(2) - both.size(2)], 0), third], 1)
