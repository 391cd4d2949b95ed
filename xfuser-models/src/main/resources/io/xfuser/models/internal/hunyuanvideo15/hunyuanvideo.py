# HunyuanVideo 1.5 (arXiv 2511.18870), as diffusers' HunyuanVideo15Transformer3DModel. B batch, L tokens of this rank, C width, H
# heads, D head size, T tokens of the language model, G of quoted texts, c values of a token. What blocks do is in joint/blocks.py.

def embed(self, tokens: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, L, c) -> (B, L, C)
  return self.linear(tokens, w, "x_embedder.proj").contiguous()

def rotation(self, at: Tensor, axes: List[int], theta: float) -> Tensor:
  # at (L, 4): segment, frame, row, column -> cosines and sines (L, D/2, 2) fp32
  return self.turns([at.select(1, 1), at.select(1, 2), at.select(1, 3)], axes, theta)

def number(self, timestep: float, like: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  # a timestep, which is of the run's type -> (1, C)
  return self.embed_number(float(self.rounded(timestep, like.dtype).item()), like, w, name)

def condition(self, timestep: float, like: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # -> after the SiLU that every modulation begins with, (1, C) in the type of like
  return torch.silu(self.number(timestep, like, w, "time_embed.timestep_embedder"))

def project_text(self, embeds: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, T, text width) -> (B, T, C)
  return self.linear(embeds, w, "context_embedder.proj_in")

def pooled(self, embeds: Tensor, mask: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # embeds (B, T, text width), mask (B, T): 1 for tokens -> their mean, embedded, (B, C)
  m = torch.to(mask, 6).unsqueeze(2)
  mean = torch.to((embeds * m).sum([1]) / m.sum([1]), embeds.dtype)
  return self.silu_mlp(mean, w, "context_embedder.time_text_embed.text_embedder")

def bias(self, mask: Tensor, like: Tensor) -> List[Tensor]:
  # mask (B, T) -> what is added to scores, (B, 1, 1, T)
  zeros = torch.zeros(mask.size(), dtype=like.dtype, device=mask.device)
  return [torch.masked_fill(zeros, mask == 0, float("-inf")).unsqueeze(1).unsqueeze(1)]

def masks(self, glyphs: Tensor, mask: Tensor) -> Tensor:
  # (B, G), (B, T) -> (B, G + T)
  return torch.cat([glyphs, mask], 1)

def refiner(self, x: Tensor, t: Tensor, bias: List[Tensor], w: Dict[str, Tensor], name: str, heads: int) -> Tensor:
  # x (B, T, C), t (B, C), bias none or (B, 1, 1, T) -> (B, T, C)
  gates = self.modulations(t, w, name + ".norm_out.linear")  # (2, B, 1, C)
  n = self.layer_norm(x, w, name + ".norm1", 1e-6)
  q = self.split_heads(self.linear(n, w, name + ".attn.to_q"), heads)
  k = self.split_heads(self.linear(n, w, name + ".attn.to_k"), heads)
  v = self.split_heads(self.linear(n, w, name + ".attn.to_v"), heads)
  y = self.attend_masked(q, k, v, bias).flatten(2)
  h = torch.addcmul(x, self.linear(y, w, name + ".attn.to_out.0"), gates[0])
  m = torch.silu(self.linear(self.layer_norm(h, w, name + ".norm2", 1e-6), w, name + ".ff.net.0.proj"))
  return torch.addcmul(h, self.linear(m, w, name + ".ff.net.2"), gates[1])

def refined(self, timestep: float, x: Tensor, pooled: Tensor, bias: List[Tensor], glyphs: List[Tensor],
            w: Dict[str, Tensor], blocks: int, heads: int) -> Tensor:
  # x (B, T, C), pooled (B, C), bias none or (B, 1, 1, T), glyphs none or (B, G, C) -> (B, G + T, C)
  t = self.number(timestep, pooled, w, "context_embedder.time_text_embed.timestep_embedder")
  t = torch.silu(t + pooled)
  for i in range(blocks):
    x = self.refiner(x, t, bias, w, "context_embedder.token_refiner.refiner_blocks." + str(i), heads)
  text = x + w["cond_type_embed.weight"][0]
  if len(glyphs) == 0:
    return text
  return torch.cat([glyphs[0], text], 1)

def project_glyphs(self, embeds: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # states of quoted texts (B, G, glyph width) -> (B, G, C)
  x = self.layer_norm(embeds, w, "context_embedder_2.norm", 1e-5)
  x = torch.gelu(self.linear(x, w, "context_embedder_2.linear_1"))
  x = torch.gelu(self.linear(x, w, "context_embedder_2.linear_2"))
  return self.linear(x, w, "context_embedder_2.linear_3") + w["cond_type_embed.weight"][1]

def no_glyphs(self, like: Tensor, width: int) -> Tensor:
  # (B, ...) -> zeros (B, 1, width)
  return torch.zeros([like.size(0), 1, width], dtype=like.dtype, device=like.device)

def placed(self, x: Tensor, rows: List[int]) -> Tensor:
  # x (b, G, ...), rows (B): 0 for zeros, i for row i - 1 of x -> (B, G, ...)
  index = torch.tensor(rows, dtype=4, device=x.device)
  return torch.index_select(torch.cat([torch.zeros_like(x[0:1]), x], 0), 0, index)
