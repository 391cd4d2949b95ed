# Chroma (lodestones, 2025), as diffusers' ChromaTransformer2DModel: the modulations of all blocks are rows of one table, which a
# network approximates from the timestep and each row's number. B batch, T text tokens, L image tokens of this rank, C width, N rows, S
# steps, F sinusoids of a timestep.

def sinusoids(self, values: Tensor, size: int) -> Tensor:
  # (n) -> (n, size), cosines first; in fp32
  half = size // 2
  exponents = torch.arange(half, dtype=6, device=values.device) * -9.210340371976184 / half
  angles = torch.to(values, 6).unsqueeze(1) * torch.exp(exponents).unsqueeze(0)
  return torch.cat([torch.cos(angles), torch.sin(angles)], 1)

def table(self, timestep: float, rows: int, like: Tensor, w: Dict[str, Tensor], layers: int) -> Tensor:
  # -> (1, N, C) in the type of like: of each double block shift, factor, gate twice, after those of the single blocks; the
  # images' before the texts'; the head's shift and factor last
  size = w["distilled_guidance_layer.in_proj.weight"].size(1) // 4  # F; as much for the guidance, which is 0, twice for the row
  value = float((self.rounded(timestep, like.dtype) / 1000 * 1000).item())
  numbers = torch.full([2], value, dtype=6, device=like.device)
  numbers.select(0, 1).zero_()
  same = torch.to(self.sinusoids(numbers, size), like.dtype).flatten().unsqueeze(0).expand([rows, -1])
  each = torch.to(self.sinusoids(torch.arange(rows, dtype=4, device=like.device) * 1000, 2 * size), like.dtype)
  x = self.linear(torch.cat([same, each], 1), w, "distilled_guidance_layer.in_proj")
  for i in range(layers):
    name = "distilled_guidance_layer.layers." + str(i)
    norm = "distilled_guidance_layer.norms." + str(i) + ".weight"
    x = x + self.silu_mlp(torch.rms_norm(x, [x.size(1)], w[norm]), w, name)
  return self.with_factors(self.linear(x, w, "distilled_guidance_layer.out_proj"))

def with_factors(self, m: Tensor) -> Tensor:
  # (N, C) -> (1, N, C): every third row from the second on is a scale, which becomes a factor
  torch.slice(m, 0, 1, m.size(0), 3).add_(1)
  return m.unsqueeze(0)

def rows(self, table: Tensor, first: List[int], count: int) -> Tensor:
  # `count` rows from each of `first` of the tables (S, N, C) of several steps -> (n, S, 1, C)
  parts = [torch.slice(table, 1, i, i + count) for i in first]
  return torch.cat(parts, 1).transpose(0, 1).unsqueeze(2)

def predict(self, x: Tensor, table: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (B, L, C), table (1, N, C) -> (B, L, c)
  n = table.size(1)
  return self.linear(self.modulate(x, table[0, n - 2], table[0, n - 1], 1e-6), w, "proj_out")

def kept(self, mask: Tensor) -> Tensor:
  # (B, T), 1 for text, which comes first, 0 for padding -> with the first token of the padding
  place = torch.arange(mask.size(1), dtype=4, device=mask.device).unsqueeze(0)
  return torch.to(place <= torch.sum(mask, [1], True), 4)

def weights(self, mask: Tensor, like: Tensor) -> Tensor:
  # the numbers of a mask, which diffusers adds to scores
  return torch.to(torch.to(mask, like.device), 6)
