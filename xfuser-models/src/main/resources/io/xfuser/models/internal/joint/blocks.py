# Blocks of two streams, and of one, which follow them. B batch, L image tokens of this rank, T text tokens, C width, H heads, D
# head size, N neurons of an MLP, c values of a token. H and N are those of the share that the weights are; the whole has
# H·D = C and N = 4C.
# x is the image's hidden states (B, L, C) and, with the first patch, the text's (B, T, C) after them; in packed queries,
# keys and values, and in what attention gives, text comes first. m are shifts, factors (1 + scale) and gates: (12, B or 1, 1, C)
# of two streams, the image's first, (3, B or 1, 1, C) of one.
# Beside the checkpoint's names there are to_qkv and to_added_qkv, which are three layers as one, norm_qk and norm_added_qk,
# which are two norms, and proj_out.0 and .1: the columns of proj_out for attention (C, H·D) and for the MLP (C, N). Their
# product with [attention | MLP] is the sum of two, so that nothing is concatenated.

def double_modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (B, C) -> shift, factor, gate twice, then the same for the text: (12, B, 1, C)
  m = [self.modulations(t, w, "norm1.linear"), self.modulations(t, w, "norm1_context.linear")]
  return self.with_factors_(torch.cat(m, 0))

def double_before(self, x: List[Tensor], m: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # -> (B, T + L, 3, H, D), of which double_rest makes the rest
  text = 0 if len(x) == 1 else x[1].size(1)
  return self.start_packed(self.modulate(x[0], m[0], m[1], 1e-6, text > 0), text, w, head)

def double_rest(self, packed: Tensor, x: List[Tensor], m: Tensor, rotation: Tensor, w: Dict[str, Tensor]) -> Tensor:
  text = [self.modulate(t, m[6], m[7], 1e-6, True) for t in x[1:]]
  return self.finish_packed(packed, text, [rotation], w)

def double_after(self, x: List[Tensor], attended: Tensor, m: Tensor, w: Dict[str, Tensor],
                 terms: List[int]) -> List[Tensor]:
  # attended (B, T + L, H, D) -> like x; two terms
  text = attended.size(1) - x[0].size(1)
  out = [self.image_after(x[0], attended.slice(1, text, attended.size(1)), m.slice(0, 0, 6), w, terms)]
  if len(x) > 1:
    text_out = self.text_after(x[1], attended.slice(1, 0, text), m.slice(0, 6, 12), w, terms)
    out.append(self.finite(text_out))
  return out

def single_before(self, x: List[Tensor], m: Tensor, w: Dict[str, Tensor], head: int) -> Tuple[Tensor, Tensor]:
  # -> queries, keys, values (B, T + L, 3, H, D), not yet normed and turned, and what they are projections of, (B, T + L, C)
  both = x[0] if len(x) == 1 else torch.cat([x[1], x[0]], 1)
  n = self.modulate(both, m[0], m[1], 1e-6)
  return (self.linear(n, w, "attn.to_qkv").unflatten(2, [3, -1, head]), n)

def single_rest(self, packed: Tensor, rotation: Tensor, w: Dict[str, Tensor]) -> Tensor:
  return self.norm_rotate_(packed, [rotation], w, "attn.norm_qk", 1e-6)

def single_after(self, x: List[Tensor], attended: Tensor, n: Tensor, m: Tensor, w: Dict[str, Tensor],
                 terms: List[int]) -> List[Tensor]:
  # attended (B, T + L, H, D), n (B, T + L, C) -> like x, which may lack the text; one term
  image = x[0].size(1)
  first = 0
  if len(x) == 1:
    first = n.size(1) - image
  y = self.linear(attended.slice(1, first, n.size(1)).flatten(2), w, "proj_out.0")
  y = self.mlp_gelu_tanh_add(n.slice(1, first, n.size(1)), w, "proj_mlp", "proj_out.1", y, True)
  text = y.size(1) - image
  out = [self.finite(self.add_gated(x[0], y.slice(1, text, y.size(1)), m[2], terms, 0))]
  if len(x) > 1:
    out.append(self.finite(self.add_gated(x[1], y.slice(1, 0, text), m[2], terms, 0)))
  return out

def embed(self, tokens: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, L, c) -> (B, L, C)
  return self.linear(tokens, w, "x_embedder").contiguous()

def embed_text(self, embeds: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.linear(embeds, w, "context_embedder")

def rotation(self, at: Tensor, axes: List[int]) -> Tensor:
  # at (L, 4) -> cosines and sines (L, D/2, 2) fp32 of the segment, of the row and of the column
  return self.turns([at.select(1, 0), at.select(1, 2), at.select(1, 3)], axes, 10000.)
