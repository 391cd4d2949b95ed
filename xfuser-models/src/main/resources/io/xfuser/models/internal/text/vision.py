# The picture side of Qwen2.5-VL (arXiv 2502.13923), operator for operator as transformers' modeling_qwen2_5_vl.py. A picture of
# h by w patches, each p by p pixels, is a sequence of N = h·w tokens: m by m neighbours are a group, which becomes one token of
# the language model, and groups lie window by window. C width, H heads, D head size, F width of the feed-forward layer.

def patches(self, pixels: Tensor, sizes: List[int], factor: float, means: List[float], deviations: List[float],
            dtype: int) -> Tensor:
  # 8-bit pixels (h·p, w·p, 3); sizes: p, m, and as how many frames a picture counts -> (N, 3·frames·p·p), group by group
  p, m, frames = sizes[0], sizes[1], sizes[2]
  x = self.in_colours(pixels, factor, means, deviations)
  x = x.permute([2, 0, 1]).reshape([3, -1, m, p, pixels.size(1) // (m * p), m, p])
  x = x.permute([1, 4, 2, 5, 0, 3, 6]).unsqueeze(5).expand([-1, -1, -1, -1, -1, frames, -1, -1])
  return torch.to(x.reshape([-1, 3 * frames * p * p]), dtype)

def grouped(self, x: Tensor, order: Tensor, group: int) -> Tensor:
  # the groups of tokens x (N, ...) in the order (N/group)
  return x.unflatten(0, [-1, group])[order].flatten(0, 1)

def embed_patches(self, x: Tensor, order: Tensor, group: int, w: Dict[str, Tensor]) -> Tensor:
  # (N, 3·frames·p·p) -> (N, C), window by window
  return self.grouped(self.linear(x, w, "patch_embed.proj"), order, group)

def patch_rotation(self, at: Tensor, head: int) -> Tensor:
  # at (N, 2): row and column -> cosines and sines for both halves of a head, (2, N, D) fp32
  exponents = torch.arange(0, head // 2, 2, dtype=6, device=at.device) / (head // 2)
  angles = torch.to(at, 6).unsqueeze(2) * torch.reciprocal(torch.pow(10000., exponents))  # (N, 2, D/4)
  angles = angles.flatten(1)
  angles = torch.cat([angles, angles], 1)
  return torch.stack([torch.cos(angles), torch.sin(angles)])

def seen(self, x: Tensor, rotation: Tensor, lengths: List[int], w: Dict[str, Tensor], head: int) -> Tensor:
  # attention of x (N, C) within sequences of these lengths, one after another -> (N, C)
  packed = self.linear(x, w, "attn.qkv").unflatten(1, [3, -1, head])  # (N, 3, H, D)
  qk = torch.to(packed.slice(1, 0, 2), 6).transpose(0, 1)  # (2, N, H, D)
  qk = torch.to(self.turned(qk, rotation), x.dtype)
  parts = annotate(List[Tensor], [])
  start = 0
  for length in lengths:
    q = qk.select(0, 0).slice(0, start, start + length).transpose(0, 1).unsqueeze(0)  # (1, H, length, D)
    k = qk.select(0, 1).slice(0, start, start + length).transpose(0, 1).unsqueeze(0)
    v = packed.select(1, 2).slice(0, start, start + length).transpose(0, 1).unsqueeze(0)
    parts.append(self.attend_masked(q, k, v, annotate(List[Tensor], [])).squeeze(0).flatten(1))
    start = start + length
  return self.linear(torch.cat(parts), w, "attn.proj")

def vision_layer(self, x: Tensor, w: Dict[str, Tensor], rotation: Tensor, lengths: List[int], head: int) -> Tensor:
  # x (N, C) -> (N, C)
  x = x + self.seen(self.rms_norm(x, w, "norm1", 1e-6), rotation, lengths, w, head)
  gate, up = torch.chunk(self.linear(self.rms_norm(x, w, "norm2", 1e-6), w, "mlp.gate_up_proj"), 2, -1)
  return self.linear_add(torch.silu(gate) * up, w, "mlp.down_proj", x)

def merged(self, x: Tensor, order: Tensor, group: int, w: Dict[str, Tensor]) -> Tensor:
  # x (N, C), order (N/group) by which groups come back to where they lie -> (N/group, width of the language model)
  h = self.rms_norm(x, w, "merger.ln_q", 1e-6).unflatten(0, [-1, group]).flatten(1)
  return self.linear(torch.gelu(self.linear(h, w, "merger.mlp.0")), w, "merger.mlp.2")[order]
