# CogVideoX (arXiv 2408.06072), as diffusers' CogVideoXTransformer3DModel. B batch, L tokens of this rank, T text tokens, C width, E
# width of the embedded timestep, H heads, D head size, N neurons of the MLP, c values of a token, S steps. H and N are those of the
# share that the weights are. Text and video have layers in common, and modulations of their own.
# x are the video's hidden states (B, L, C) and, with the first patch, the text's (B, T, C) after them; in packed queries, keys and
# values, and in what attention gives, text comes first. attn1.to_qkv is three layers as one, attn1.norm_qk two norms.

def folded(self, modulation: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
  # (S, 6·C) -> of the video, then of the text, shift, factor, gate (6, S, 1, C), the norm's own weights in shifts and factors
  m = modulation.unflatten(1, [6, -1]).transpose(0, 1).unsqueeze(2)
  self.with_factors_(m)
  for i in range(2):
    shift, factor = m[3 * i], m[3 * i + 1]
    shift.addcmul_(factor, bias)
    factor.mul_(weight)
  return m

def modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (S, E) -> of attention, then of the MLP: (12, S, 1, C)
  attention = self.folded(self.linear(t, w, "norm1.linear"), w["norm1.norm.weight"], w["norm1.norm.bias"])
  mlp = self.folded(self.linear(t, w, "norm2.linear"), w["norm2.norm.weight"], w["norm2.norm.bias"])
  return torch.cat([attention, mlp], 0)

def joined(self, x: List[Tensor], m: Tensor, eps: float) -> Tensor:
  # x modulated by shift and factor of the video and of the text (6, 1, 1, C) -> (B, T + L, C)
  n = self.modulate(x[0], m[0], m[1], eps)
  if len(x) == 1:
    return n
  return torch.cat([self.modulate(x[1], m[3], m[4], eps), n], 1)

def modulated(self, x: Tensor, m: Tensor, eps: float) -> Tensor:
  # x (B, L, C) as a block's first layer reads it
  return self.modulate(x, m[0], m[1], eps)

def before(self, x: List[Tensor], m: Tensor, w: Dict[str, Tensor], head: int, eps: float) -> Tensor:
  # -> packed queries, keys, values (B, T + L, 3, H, D), of which rest makes the rest
  return self.linear(self.joined(x, m, eps), w, "attn1.to_qkv").unflatten(2, [3, -1, head])

def rest(self, packed: Tensor, rotation: List[Tensor], w: Dict[str, Tensor]) -> Tensor:
  return self.layer_norm_rotate_(packed, rotation, w, "attn1.norm_qk", 1e-6)

def added(self, x: List[Tensor], y: Tensor, m: Tensor, terms: List[int], term: int) -> List[Tensor]:
  # x, each with its part of y (B, T + L, C) times its gate, of (6, 1, 1, C)
  text = y.size(1) - x[0].size(1)
  out = [self.add_gated(x[0], y.slice(1, text, y.size(1)), m[2], terms, term)]
  if len(x) > 1:
    out.append(self.add_gated(x[1], y.slice(1, 0, text), m[5], terms, term))
  return out

def after(self, x: List[Tensor], attended: Tensor, m: Tensor, w: Dict[str, Tensor], eps: float, terms: List[int]) -> List[Tensor]:
  # attended (B, T + L, H, D) -> like x, which lacks the text where it ends; two terms
  if self.adds(terms, 0):
    if len(x) == 1:
      attended = attended.slice(1, attended.size(1) - x[0].size(1), attended.size(1))
    x = self.added(x, self.linear(attended.flatten(2), w, "attn1.to_out.0"), m.slice(0, 0, 6), terms, 0)
  if self.adds(terms, 1):
    n = m.slice(0, 6, 12)
    x = self.added(x, self.mlp_gelu_tanh(self.joined(x, n, eps), w, "ff.net.0.proj", "ff.net.2"), n, terms, 1)
  return x

def embed(self, tokens: Tensor, positions: List[Tensor], w: Dict[str, Tensor]) -> Tensor:
  # (B, L, c), perhaps what positions (L, C) add -> (B, L, C)
  x = self.linear(tokens, w, "patch_embed.proj").contiguous()
  for added in positions:
    x.add_(added)
  return x

def embed_text(self, embeds: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.linear(embeds, w, "patch_embed.text_proj")

def timestep(self, value: float, like: Tensor, width: int, w: Dict[str, Tensor]) -> Tensor:
  # the embedded timestep after the SiLU that every modulation begins with, (1, E)
  return torch.silu(self.silu_mlp(self.sinusoid(value, like, width), w, "time_embedding"))

def turned(self, at: Tensor, starts: List[float], steps: List[float], axes: List[int]) -> Tensor:
  # at (L, 4): segment, frame, row, column, which lie at start + step·number -> cosines and sines (L, D/2, 2) fp32
  where = [torch.to(at.select(1, i + 1), 7) * steps[i] + starts[i] for i in range(3)]
  return self.turns(where, axes, 10000.)

def predict(self, x: Tensor, t: Tensor, w: Dict[str, Tensor], eps: float) -> Tensor:
  # x (B, L, C), t (1, E) -> (B, L, c) in fp32, in which the pipeline goes on
  shift, scale = torch.unbind(self.linear(t, w, "norm_out.linear").unflatten(1, [2, -1]), 1)  # (1, C)
  factor = scale + 1
  weight, bias = w["norm_out.norm.weight"], w["norm_out.norm.bias"]
  n = self.modulate(self.layer_norm(x, w, "norm_final", eps), torch.addcmul(shift, factor, bias), factor * weight, eps)
  return torch.to(self.linear(n, w, "proj_out"), 6)
