# Qwen-Image (arXiv 2508.02324), as diffusers' QwenImageTransformer2DModel. B batch, L image tokens of this rank, T text tokens,
# C width, H heads, D head size, N neurons of an MLP, c values of a token. H and N are those of the share that the weights are.
# x is the image's hidden states (B, L, C) and, with the first patch, the text's (B, T, C) after them; in packed queries, keys
# and values, and in what attention gives, text comes first. What follows attention is in stream.py.

def modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (B, C) -> shift, factor, gate twice, then the same for the text: (12, B, 1, C)
  return self.with_factors_(torch.cat([self.modulations(t, w, "img_mod.1"), self.modulations(t, w, "txt_mod.1")], 0))

def by_token(self, m: Tensor, rows: List[Tensor]) -> List[Tensor]:
  # m (12, B, 1, C) -> the image's (6, B, 1, C) and the text's; where tokens differ, m (12, 2, 1, C) has what the first segment
  # is modulated by, which the text is too, and what others are; rows (L) says which of both: (6, 1, L, C) and (6, 1, 1, C)
  if len(rows) == 0:
    return [m.slice(0, 0, 6), m.slice(0, 6, 12)]
  image = m.slice(0, 0, 6).squeeze(2)[:, rows[0]].unsqueeze(1)
  return [image, m.slice(0, 6, 12).slice(1, 0, 1)]

def before(self, x: List[Tensor], m: List[Tensor], w: Dict[str, Tensor], head: int) -> Tensor:
  # -> (B, T + L, 3, H, D), of which `rest` makes the rest
  text = 0 if len(x) == 1 else x[1].size(1)
  return self.start_packed(self.modulate(x[0], m[0][0], m[0][1], 1e-6), text, w, head)

def rest(self, packed: Tensor, x: List[Tensor], m: List[Tensor], rotation: List[Tensor], w: Dict[str, Tensor]) -> Tensor:
  # rotation of the image's tokens (L, D/2, 2), and of the text's (T, D/2, 2)
  text = [self.modulate(t, m[1][0], m[1][1], 1e-6) for t in x[1:]]
  return self.finish_packed(packed, text, rotation, w)

def after(self, x: List[Tensor], attended: Tensor, m: List[Tensor], w: Dict[str, Tensor],
          terms: List[int]) -> List[Tensor]:
  # attended (B, T + L, H, D) -> like x; two terms
  text = attended.size(1) - x[0].size(1)
  h = self.add_attended(x[0], attended.slice(1, text, attended.size(1)), m[0], w, "attn.to_out.0", terms)
  out = [self.finite(self.add_mlp(h, m[0], w, "img_mlp.net.0.proj", "img_mlp.net.2", terms, 1))]
  if len(x) > 1:
    h = self.add_attended(x[1], attended.slice(1, 0, text), m[1], w, "attn.to_add_out", terms)
    out.append(self.finite(self.add_mlp(h, m[1], w, "txt_mlp.net.0.proj", "txt_mlp.net.2", terms, 1)))
  return out

def embed(self, tokens: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, L, c) -> (B, L, C)
  return self.linear(tokens, w, "img_in").contiguous()

def embed_text(self, embeds: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.linear(self.rms_norm(embeds, w, "txt_norm", 1e-6), w, "txt_in")

def condition(self, timestep: float, like: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # -> after the SiLU that every modulation begins with, (1, C) in the type of like
  value = float((self.rounded(timestep, like.dtype) / 1000).item()) * 1000
  return torch.silu(self.embed_number(value, like, w, "time_text_embed.timestep_embedder"))

def conditions(self, timestep: float, like: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # `condition` of a segment that is denoised, and of others that are not: (2, C)
  return torch.cat([self.condition(timestep, like, w), self.condition(0., like, w)])

def later_segment(self, at: Tensor) -> Tensor:
  # at (L, 4): segment, frame, row, column -> 0 in the first segment, 1 in others, (L)
  return torch.to(at.select(1, 0) > 0, 4)

def first_row(self, x: Tensor) -> Tensor:
  # (2, C) -> (1, C)
  return torch.slice(x, 0, 0, 1)

def axis(self, positions: Tensor, size: int) -> Tensor:
  # (L) -> angles (L, size/2) in fp32
  exponents = torch.arange(0, size, 2, dtype=6, device=positions.device) / size
  return torch.outer(torch.to(positions, 6), torch.reciprocal(torch.pow(10000., exponents)))

def turns(self, places: List[Tensor], axes: List[int]) -> Tensor:
  # places along three axes, each (L) -> cosines and sines (L, D/2, 2) fp32
  angles = torch.cat([self.axis(places[i], axes[i]) for i in range(3)], 1)
  return torch.stack([torch.cos(angles), torch.sin(angles)], 2)

def image_rotation(self, at: Tensor, middles: List[int], axes: List[int]) -> Tensor:
  # at (L, 4): segment, frame, row, column; middles: of each segment the row and the column that are 0 -> (L, D/2, 2). Later
  # segments are later frames.
  middle = torch.tensor(middles, dtype=4, device=at.device).view([-1, 2])[at.select(1, 0)]  # (L, 2)
  frame = at.select(1, 0) + at.select(1, 1)
  return self.turns([frame, at.select(1, 2) - middle.select(1, 0), at.select(1, 3) - middle.select(1, 1)], axes)

def text_rotation(self, text: Tensor, first: int, axes: List[int]) -> Tensor:
  # text (B, T, C), whose first token is at a place along all three axes -> (T, D/2, 2)
  place = torch.arange(text.size(1), dtype=4, device=text.device) + first
  return self.turns([place, place, place], axes)

def without_template(self, states: Tensor, mask: Tensor, template: int, length: int) -> Tensor:
  # states (B, S, C) and mask (B, S), 0 for padding on the right -> those behind the template, zeros after them, (B, length, C)
  x = torch.slice(states * torch.to(mask, states.dtype).unsqueeze(2), 1, template, template + length)
  return torch.constant_pad_nd(x, [0, 0, 0, length - x.size(1)])
