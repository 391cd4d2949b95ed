# Pictures that are prompts, by tokens that differ from step to step: diffusers' IPAdapterTimeImageProjection, a resampler (arXiv
# 2204.14198) that sees the timestep, and SD3IPAdapterJointAttnProcessor2_0: image tokens of an attention attend once more all
# image tokens, and with them the picture's. B batch, N states of the picture's encoder, R width of the resampler, Q its tokens,
# L image tokens, C width, H heads, D head size. The resampler's layers are numbered, and a block's attentions: 0, and 1 where it has two.

def shown_features(self, embeds: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # what the picture is seen as, (B, N, I) -> (B, N, R), the same in all steps
  return self.linear(embeds, w, "image_proj.proj_in")

def shown_time(self, value: float, like: Tensor, sinusoids: int, w: Dict[str, Tensor]) -> Tensor:
  # a timestep -> (1, R)
  return self.silu_mlp(self.sinusoid(value, like, sinusoids), w, "image_proj.time_embedding")

def numbered_norm(self, x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  # x (..., R)
  return torch.layer_norm(x, [x.size(-1)], w[name + ".weight"].reshape([-1]), w[name + ".bias"].reshape([-1]), 1e-5)

def resampled(self, x: Tensor, latents: Tensor, time: Tensor, w: Dict[str, Tensor], i: int, heads: int) -> Tensor:
  # one layer: x (B, N, R), latents (B or 1, Q, R), time (1, R) after SiLU -> (B, Q, R)
  m = self.linear(time, w, "resampler.adaln_proj." + str(i)).unflatten(1, [4, -1]).unsqueeze(2)  # (1, 4, 1, R)
  x = self.numbered_norm(x, w, "resampler.ln0." + str(i))
  h = self.numbered_norm(latents, w, "resampler.ln1." + str(i)) * (1 + m[:, 1]) + m[:, 0]
  h = h.expand([x.size(0), -1, -1])
  q = self.split_heads(self.linear(h, w, "resampler.to_q." + str(i)), heads)
  kv = self.linear(torch.cat([x, h], 1), w, "resampler.to_kv." + str(i)).unflatten(2, [2, -1])
  attended = self.attend(q, self.split_heads(kv.select(2, 0), heads), self.split_heads(kv.select(2, 1), heads))
  latents = latents + self.linear(attended.flatten(2), w, "resampler.to_out." + str(i))
  h = self.numbered_norm(latents, w, "resampler.adaln_norm." + str(i)) * (1 + m[:, 3]) + m[:, 2]
  inner = torch.gelu(self.linear(h, w, "resampler.ff_in." + str(i)))
  return latents + self.linear(inner, w, "resampler.ff_out." + str(i))

def shown_tokens(self, features: List[Tensor], time: Tensor, w: Dict[str, Tensor], heads: int, layers: int) -> Tensor:
  # of each of some pictures (B, N, R), time (1, R) -> the tokens of all, one after another, (B, Q of all, C)
  out = annotate(List[Tensor], [])
  for x in features:
    latents = w["image_proj.latents"]
    seen = x + time.unsqueeze(1)
    for i in range(layers):
      latents = self.resampled(seen, latents, torch.silu(time), w, i, heads)
    out.append(self.layer_norm(self.linear(latents, w, "image_proj.proj_out"), w, "image_proj.norm_out", 1e-5))
  return torch.cat(out, 1)

def shown_modulations(self, times: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (S, R) of S steps -> shift and factor (1 + scale) of the picture's tokens, in each attention of a block: (2 or 4, S, 1, C)
  t = torch.silu(times)
  m = self.linear(t, w, "norm_ip.0")
  if self.has_layer(w, "norm_ip.1"):
    m = torch.cat([m, self.linear(t, w, "norm_ip.1")], 1)
  m = m.unflatten(1, [4 if self.has_layer(w, "norm_ip.1") else 2, -1]).transpose(0, 1).unsqueeze(2)
  m.unflatten(0, [-1, 2]).select(1, 1).add_(1)
  return m

def before_shown(self, packed: Tensor, text: int, tokens: List[Tensor], m: Tensor, w: Dict[str, Tensor], number: int) -> Tensor:
  # packed (B, text + L, 3, H, D), of the image as it is projected; the picture's tokens, none or (B, s, C) -> (B, s + L, 3, H, D),
  # the picture's first, which have queries because all have them
  image = packed.slice(1, text, packed.size(1))
  shown = 0
  for x in tokens:
    shown = x.size(1)
  out = self.tokens_first(image.flatten(2), shown + image.size(1), 3 * image.size(3) * image.size(4))
  out = out.unflatten(2, [3, -1, image.size(4)])
  for x in tokens:
    h = self.modulate(x, m[2 * number], m[2 * number + 1], 1e-6)
    kv = self.linear(h, w, "to_kv_ip." + str(number)).unflatten(2, [2, -1, image.size(4)])
    own = out.slice(1, 0, shown)
    own.slice(2, 1, 3).copy_(kv)
    own.select(2, 0).copy_(kv.select(2, 0))
    self.norm_rotate_(own, annotate(List[Tensor], []), w, "norm_ip_k." + str(number), 1e-6)
  own = out.slice(1, shown, out.size(1)).copy_(image)
  self.norm_rotate_(own, annotate(List[Tensor], []), w, "norm_qk." + str(number), 1e-6)
  return out

def add_shown(self, attended: Tensor, shown: Tensor, image: int, scale: float) -> Tensor:
  # attended (B, t + L, H, D), shown (B, s + L, H, D), L image tokens -> (B, t + L, H, D), of the text as it was
  own = attended.slice(1, attended.size(1) - image, attended.size(1))
  own = own + shown.slice(1, shown.size(1) - image, shown.size(1)) * scale
  if own.size(1) == attended.size(1):
    return own
  return torch.cat([attended.slice(1, 0, attended.size(1) - image), own], 1)
