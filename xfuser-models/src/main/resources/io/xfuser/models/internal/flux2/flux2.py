# B batch, L image tokens of this rank, T text tokens, C width, H heads, D head size, N neurons of an MLP, c values of a token.
# H and N are those of the share that the weights are; the whole has H·D = C. There are no biases.
# x is the image's hidden states (B, L, C) and, with the first patch, the text's (B, T, C) after them; in packed queries, keys
# and values, in rotations and in what attention gives, text comes first. All blocks of a kind have the same modulations: v is
# the embedded timestep after its SiLU and behind it all of them, (1, 16·C), twice shift, factor, gate of the image, then of the
# text, then once those of single blocks.
# to_qkv and to_added_qkv are three layers as one, norm_qk and norm_added_qk two norms; to_qkv_mlp_proj.0 and .1 are the rows of
# a single block's first layer for attention (3·H·D, C) and for the MLP (2·N, C), to_out.0 and .1 the columns of its second one.

def modulation(self, v: Tensor, first: int, count: int) -> Tensor:
  # -> (count, 1, 1, C)
  return v.unflatten(1, [16, -1]).slice(1, first, first + count).transpose(0, 1).unsqueeze(2)

def project(self, x: Tensor, w: Dict[str, Tensor], layer: str, head: int) -> Tensor:
  # x (B, l, C) -> queries, keys, values (B, l, 3, H, D)
  return self.linear(x, w, layer).unflatten(2, [3, -1, head])

def gated_neurons(self, x: Tensor, w: Dict[str, Tensor], layer: str) -> Tensor:
  # x (B, l, C) -> (B, l, N)
  gate, up = torch.chunk(self.linear(x, w, layer), 2, -1)
  return torch.silu(gate) * up

def double_before(self, x: List[Tensor], v: Tensor, w: Dict[str, Tensor], head: int, eps: float) -> Tensor:
  # -> (B, T + L, 3, H, D), of which double_rest makes the rest
  m = self.modulation(v, 1, 2)
  image = self.modulate(x[0], m[0], m[1], eps)
  if len(x) == 1:
    return self.project(image, w, "attn.to_qkv", head)
  text = x[1].size(1)
  shape = [image.size(0), text + image.size(1), self.outputs(w, "attn.to_qkv")]
  packed = torch.empty(shape, dtype=image.dtype, device=image.device).unflatten(2, [3, -1, head])
  self.linear_into(image, w, "attn.to_qkv", packed.slice(1, text, packed.size(1)).flatten(2))
  return packed

def double_rest(self, packed: Tensor, x: List[Tensor], v: Tensor, rotation: Tensor, w: Dict[str, Tensor],
                eps: float) -> Tensor:
  text = rotation.size(0) - x[0].size(1)
  if len(x) > 1:
    m = self.modulation(v, 7, 2)
    spoken = packed.slice(1, 0, text)
    self.linear_into(self.modulate(x[1], m[0], m[1], eps), w, "attn.to_added_qkv", spoken.flatten(2))
    self.norm_rotate_(spoken, [rotation.slice(0, 0, text)], w, "attn.norm_added_qk", eps)
  image = packed.slice(1, packed.size(1) - x[0].size(1), packed.size(1))
  self.norm_rotate_(image, [rotation.slice(0, text, rotation.size(0))], w, "attn.norm_qk", eps)
  return packed

def double_stream(self, x: Tensor, attended: Tensor, m: Tensor, w: Dict[str, Tensor], names: List[str], eps: float,
                  terms: List[int]) -> Tensor:
  # x (B, l, C), attended (B, l, H, D), m (6, 1, 1, C), names of the attention's last layer and of the MLP's two -> (B, l, C)
  if self.adds(terms, 0):
    x = self.add_gated(x, self.linear(attended.flatten(2), w, names[0]), m[2], terms, 0)
  if self.adds(terms, 1):
    h = self.gated_neurons(self.modulate(x, m[3], m[4], eps), w, names[1])
    x = self.add_gated(x, self.linear(h, w, names[2]), m[5], terms, 1)
  return x

def double_after(self, x: List[Tensor], attended: Tensor, v: Tensor, w: Dict[str, Tensor], eps: float,
                 terms: List[int]) -> List[Tensor]:
  # attended (B, T + L, H, D) -> like x; two terms
  text = attended.size(1) - x[0].size(1)
  image = attended.slice(1, text, attended.size(1))
  m = self.modulation(v, 1, 12)
  out = [self.double_stream(x[0], image, m.slice(0, 0, 6), w, ["attn.to_out.0", "ff.linear_in", "ff.linear_out"], eps, terms)]
  if len(x) > 1:
    names = ["attn.to_add_out", "ff_context.linear_in", "ff_context.linear_out"]
    out.append(self.finite(self.double_stream(x[1], attended.slice(1, 0, text), m.slice(0, 6, 12), w, names, eps, terms)))
  return out

def single_before(self, x: List[Tensor], v: Tensor, w: Dict[str, Tensor], head: int, eps: float) -> Tuple[Tensor, Tensor]:
  # -> queries, keys, values (B, T + L, 3, H, D), not yet normed and turned, and what they are projections of, (B, T + L, C)
  both = x[0] if len(x) == 1 else torch.cat([x[1], x[0]], 1)
  m = self.modulation(v, 13, 2)
  n = self.modulate(both, m[0], m[1], eps)
  return (self.project(n, w, "attn.to_qkv_mlp_proj.0", head), n)

def single_rest(self, packed: Tensor, rotation: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  return self.norm_rotate_(packed, [rotation], w, "attn.norm_qk", eps)

def single_after(self, x: List[Tensor], attended: Tensor, n: Tensor, v: Tensor, w: Dict[str, Tensor],
                 terms: List[int]) -> List[Tensor]:
  # attended (B, T + L, H, D), n (B, T + L, C) -> like x, which may lack the text; one term
  image = x[0].size(1)
  first = 0 if len(x) > 1 else n.size(1) - image
  y = self.linear(attended.slice(1, first, n.size(1)).flatten(2), w, "attn.to_out.0")
  neurons = self.gated_neurons(n.slice(1, first, n.size(1)), w, "attn.to_qkv_mlp_proj.1")
  y = self.linear_add(neurons, w, "attn.to_out.1", y, True)
  gate = self.modulation(v, 15, 1)[0]
  text = y.size(1) - image
  out = [self.finite(self.add_gated(x[0], y.slice(1, text, y.size(1)), gate, terms, 0))]
  if len(x) > 1:
    out.append(self.finite(self.add_gated(x[1], y.slice(1, 0, text), gate, terms, 0)))
  return out

def finite(self, x: Tensor) -> Tensor:
  # x within the range of fp16, as diffusers keeps it
  if x.dtype == 5:
    return x.clamp(-65504, 65504)
  return x

def embed(self, tokens: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, L, c) -> (B, L, C)
  return self.linear(tokens, w, "x_embedder").contiguous()

def embed_text(self, embeds: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.linear(embeds, w, "context_embedder")

def condition(self, timestep: float, guidance: List[float], like: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # guidance: one number or none; numbers are computed in the type of like, as in diffusers -> v
  value = float((self.rounded(timestep, like.dtype) / 1000 * 1000).item())
  t = self.embed_number(value, like, w, "time_guidance_embed.timestep_embedder")
  for g in guidance:
    value = float((self.rounded(g, like.dtype) * 1000).item())
    t = t + self.embed_number(value, like, w, "time_guidance_embed.guidance_embedder")
  t = torch.silu(t)
  m = [self.linear(t, w, "double_stream_modulation_img.linear"), self.linear(t, w, "double_stream_modulation_txt.linear"),
       self.linear(t, w, "single_stream_modulation.linear")]
  factors = self.with_factors_(torch.cat(m, 1).unflatten(1, [15, -1]).transpose(0, 1)).transpose(0, 1)
  return torch.cat([t, factors.flatten(1)], 1)

def predict(self, x: Tensor, v: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # x (B, L, C) -> (B, L, c); the modulation has the scale first
  m = self.modulations(v.slice(1, 0, x.size(2)), w, "norm_out.linear")
  return self.linear(self.modulate(x, m[1], 1 + m[0], eps), w, "proj_out")

def rotation(self, text: Tensor, at: Tensor, axes: List[int], theta: float) -> Tensor:
  # text (B, T, C) and at (L, 4) of the image -> cosines and sines (T + L, D/2, 2) fp32, by the segment, of which the second and
  # those after it lie ten apart, row and column of the image, and by the place in the text
  place = torch.arange(text.size(1), dtype=4, device=text.device)
  none, nowhere = torch.zeros_like(place), torch.zeros_like(at.select(1, 0))
  places = [torch.cat([none, at.select(1, 0) * 10]), torch.cat([none, at.select(1, 2)]), torch.cat([none, at.select(1, 3)]),
            torch.cat([place, nowhere])]
  return self.turns(places, axes, theta)
