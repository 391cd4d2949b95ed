# Z-Image (arXiv 2511.22699), as diffusers' ZImageTransformer2DModel. B batch, L image tokens of this rank, C width, H heads, D
# head size, N neurons of an MLP, c values of a token. H and N are those of the share that the weights are.
# Every sequence is filled up to a multiple of 32 by learned tokens that are attended as others are. Those of the image come
# last in the text, so T text tokens are a caption of K, filled up, and T - K that fill up the image. x is the image's hidden
# states (B, L, C) and, with the first patch, the text's (B, T, C) after them. `out` is the number of text tokens, from the
# first, that a block leaves alone: K while the image is refined, 0 after that.

def modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (1, E) -> factor and gate of attention, factor and gate of the MLP: (4, 1, C)
  m = self.linear(t, w, "adaLN_modulation.0").unflatten(1, [4, -1]).transpose(0, 1)
  return torch.stack([m[0] + 1, torch.tanh(m[1]), m[2] + 1, torch.tanh(m[3])])

def tokens(self, x: List[Tensor], out: int) -> Tensor:
  # what a block works on, text first: (B, T - out + L, C)
  if len(x) == 1 or x[1].size(1) == out:
    return x[0]
  return torch.cat([x[1].slice(1, out, x[1].size(1)), x[0]], 1)

def parted(self, y: Tensor, x: List[Tensor], out: int) -> List[Tensor]:
  # of what a block made of its tokens (B, T - out + L, C), image and text as x has them
  text = y.size(1) - x[0].size(1)
  if len(x) == 1:
    return [y]
  if out == 0:
    return [y.slice(1, text, y.size(1)), y.slice(1, 0, text)]
  return [y.slice(1, text, y.size(1)), torch.cat([x[1].slice(1, 0, out), y.slice(1, 0, text)], 1)]

def over_length(self, x: Tensor, eps: float) -> Tensor:
  # x (B, l, C) divided by its root mean square, in the type of x
  return torch.mul(x, self.per_length(x, eps), out=torch.empty_like(x))

def scaled(self, w: Dict[str, Tensor], norm: str, factor: Tensor) -> Tensor:
  # a norm's weight (C) times a factor (1, C), fp32, so that both are one pass over the tokens
  return torch.to(w[norm + ".weight"], 6) * factor

def normed_by(self, x: Tensor, w: Dict[str, Tensor], norm: str, factor: Tensor, eps: float) -> Tensor:
  # the norm of x (B, l, C) times a factor (1, C)
  if x.is_cpu:
    return self.rms_norm(x, w, norm, eps) * factor
  return self.over_length(x, eps).mul_(self.scaled(w, norm, factor))

def add_normed(self, x: Tensor, y: Tensor, w: Dict[str, Tensor], norm: str, gate: Tensor, eps: float) -> Tensor:
  # x (B, l, C) and the norm of y (B, l, C) times a gate (1, C)
  if x.is_cpu:
    return torch.addcmul(x, self.rms_norm(y, w, norm, eps), gate)
  n = self.over_length(y, eps)
  return torch.addcmul(x, n, self.scaled(w, norm, gate), out=n)

def project(self, x: Tensor, w: Dict[str, Tensor], head: int) -> Tensor:
  # x (B, l, C) -> queries, keys, values (B, l, 3, H, D), not yet normed and turned
  return self.linear(x, w, "attention.to_qkv").unflatten(2, [3, -1, head])

def norm_turn_(self, packed: Tensor, rotation: Tensor, w: Dict[str, Tensor]) -> Tensor:
  return self.norm_rotate_(packed, [rotation], w, "attention.norm_qk", 1e-5)

def turning(self, x: List[Tensor], out: int, rotation: List[Tensor]) -> Tensor:
  # rotation of the image's tokens (B, L, D/2, 2), and of the text's (B, T, D/2, 2) -> that of `tokens`
  if len(x) == 1 or x[1].size(1) == out:
    return rotation[0]
  return torch.cat([rotation[1].slice(1, out, x[1].size(1)), rotation[0]], 1)

def before(self, x: List[Tensor], out: int, m: Tensor, w: Dict[str, Tensor], head: int, eps: float) -> List[Tensor]:
  # -> queries, keys, values (B, T - out + L, 3, H, D), of which `rest` makes the rest, and the tokens that they are of,
  # (B, T - out + L, C)
  h = self.tokens(x, out)
  return [self.project(self.normed_by(h, w, "attention_norm1", m[0], eps), w, head), h]

def rest(self, packed: Tensor, x: List[Tensor], out: int, rotation: List[Tensor], w: Dict[str, Tensor]) -> Tensor:
  return self.norm_turn_(packed, self.turning(x, out, rotation), w)

def attended(self, y: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # what attention gives (B, l, H, D) -> its projection, a share's part of it (B, l, C)
  return self.linear(y.flatten(2), w, "attention.to_out.0")

def neurons(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (B, l, C) -> the MLP, a share's part of it (B, l, C)
  gate, up = torch.chunk(self.linear(x, w, "feed_forward.w13"), 2, -1)
  return self.linear(torch.silu(gate) * up, w, "feed_forward.w2")

def middle(self, x: Tensor, y: Tensor, m: Tensor, w: Dict[str, Tensor], eps: float) -> List[Tensor]:
  # after attention, whose projection is y: the tokens x (B, l, C) with it, and a share's part of the MLP of them
  h = self.add_normed(x, y, w, "attention_norm2", m[1], eps)
  return [h, self.neurons(self.normed_by(h, w, "ffn_norm1", m[2], eps), w)]

def after(self, x: List[Tensor], out: int, h: Tensor, y: Tensor, m: Tensor, w: Dict[str, Tensor],
          eps: float) -> List[Tensor]:
  # the tokens h with their MLP y -> like x
  return self.parted(self.add_normed(h, y, w, "ffn_norm2", m[3], eps), x, out)

def embed(self, tokens: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, L, c), which are fp32 whatever the run's type -> (B, L, C)
  return self.linear(torch.to(tokens, w["all_x_embedder.2-1.bias"].dtype), w, "all_x_embedder.2-1").contiguous()

def predict(self, x: Tensor, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (B, L, C), t (1, E) -> the velocity from the picture to the noise, (B, L, c), fp32
  factor = 1 + self.linear(torch.silu(t), w, "all_final_layer.2-1.adaLN_modulation.1")
  h = torch.layer_norm(x, [x.size(2)], None, None, 1e-6) * factor
  return torch.neg(torch.to(self.linear(h, w, "all_final_layer.2-1.linear"), 6))

def condition(self, timestep: float, like: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # -> (1, E) in the type of like; time goes from 0, noise, to 1000
  value = float(((1000 - self.rounded(timestep, 6)) / 1000 * 1000).item())
  h = torch.silu(self.linear(self.sinusoid(value, like), w, "t_embedder.mlp.0"))
  return self.linear(h, w, "t_embedder.mlp.2")

def filled(self, mask: Tensor) -> Tensor:
  # mask (B, S), 1 for the tokens of a text, which come first, 0 for padding -> its tokens filled up to a multiple of 32, (B)
  return torch.floor_divide(torch.sum(mask, [1]) + 31, 32) * 32

def caption(self, embeds: Tensor, mask: Tensor, w: Dict[str, Tensor], eps: float) -> List[Tensor]:
  # embeds (B, S, text width), mask (B, S) -> hidden states (B, K, C), K what the longest text is filled up to, and which of
  # them are attended (B, K)
  lengths, filled = torch.sum(mask, [1]), self.filled(mask)
  longest = int(torch.amax(filled).item())
  place = torch.arange(longest, dtype=4, device=mask.device).unsqueeze(0)  # (1, K)
  x = self.linear(self.rms_norm(embeds, w, "cap_embedder.0", eps), w, "cap_embedder.1")
  x = torch.constant_pad_nd(x, [0, 0, 0, longest - x.size(1)])
  x = torch.where((place < lengths.unsqueeze(1)).unsqueeze(2), x, w["cap_pad_token"])
  return [x, torch.to(place < filled.unsqueeze(1), 4)]

def refined(self, x: Tensor, mask: Tensor, rotation: Tensor, w: Dict[str, Tensor], head: int, eps: float) -> Tensor:
  # a caption (B, K, C), of which mask (B, K) says what is attended, after a block that refines it
  packed = self.norm_turn_(self.project(self.rms_norm(x, w, "attention_norm1", eps), w, head), rotation, w)
  q, k, v = [packed.select(2, i).transpose(1, 2) for i in range(3)]
  bias = torch.masked_fill(torch.zeros(mask.size(), dtype=x.dtype, device=x.device), mask == 0, float("-inf"))
  y = self.attended(self.attend_masked(q, k, v, [bias.unsqueeze(1).unsqueeze(1)]), w)
  h = x + self.rms_norm(y, w, "attention_norm2", eps)
  return h + self.rms_norm(self.neurons(self.rms_norm(h, w, "ffn_norm1", eps), w), w, "ffn_norm2", eps)

def text(self, caption: Tensor, mask: Tensor, filling: int, w: Dict[str, Tensor]) -> List[Tensor]:
  # behind a caption (B, K, C) the tokens that fill up the image -> (B, T, C), and which of them are attended (B, T)
  more = w["x_pad_token"].expand([caption.size(0), filling, caption.size(2)])
  ones = torch.ones([mask.size(0), filling], dtype=mask.dtype, device=mask.device)
  return [torch.cat([caption, more], 1), torch.cat([mask, ones], 1)]

def angles(self, positions: Tensor, size: int, theta: float) -> Tensor:
  # (..., L) -> (..., L, size/2), in fp64 and then fp32
  exponents = torch.arange(0, size, 2, dtype=7, device=positions.device) / size
  return torch.to(torch.to(positions, 7).unsqueeze(-1) * torch.reciprocal(torch.pow(theta, exponents)), 6)

def turns(self, positions: List[Tensor], axes: List[int], theta: float) -> Tensor:
  # places along three axes, each (..., L) -> cosines and sines (..., L, D/2, 2) fp32
  angles = torch.cat([self.angles(positions[i], axes[i], theta) for i in range(3)], -1)
  return torch.stack([torch.cos(angles), torch.sin(angles)], -1)

def text_rotation(self, text: Tensor, caption: int, axes: List[int], theta: float) -> Tensor:
  # text (B, T, C), whose caption has K tokens, from place 1 on; those that fill up the image are at place 0 -> (B, T, D/2, 2)
  place = torch.arange(text.size(1), dtype=4, device=text.device) + 1
  place = torch.where(place > caption, torch.zeros_like(place), place)
  rotation = self.turns([place, torch.zeros_like(place), torch.zeros_like(place)], axes, theta)
  return rotation.unsqueeze(0).expand([text.size(0), -1, -1, -1])

def image_rotation(self, at: Tensor, mask: Tensor, axes: List[int], theta: float) -> Tensor:
  # at (L, 4): segment, frame, row, column; an image lies behind its caption -> (B, L, D/2, 2)
  behind = (self.filled(mask) + 1).unsqueeze(1)  # (B, 1)
  row = at.select(1, 2).unsqueeze(0).expand([mask.size(0), -1])
  column = at.select(1, 3).unsqueeze(0).expand([mask.size(0), -1])
  return self.turns([at.select(1, 1).unsqueeze(0) + behind, row, column], axes, theta)
