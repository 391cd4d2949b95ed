# B batch, L tokens, C width, c values of a token

def embed(self, tokens: Tensor, positions: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # tokens (B, L, c), positions (L, C) fp32 -> (B, L, C); embeddings of positions are added in fp32
  return torch.to(self.linear(tokens, w, "pos_embed.proj") + positions, tokens.dtype).contiguous()

def embed_alone(self, tokens: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # (B, L, c) -> (B, L, C)
  return self.linear(tokens, w, "pos_embed.proj").contiguous()

def predict(self, x: Tensor, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (B, L, C), t (B, C) -> (B, L, c); the modulation has the scale first
  m = self.modulations(t, w, "norm_out.linear")
  return self.linear(self.modulate(x, m[1], 1 + m[0], 1e-6), w, "proj_out")

def axis(self, positions: Tensor, width: int) -> Tensor:
  # (L) -> (L, width): sines then cosines, in fp64
  omega = torch.arange(width // 2, dtype=7, device=positions.device) / (width / 2.)
  angles = torch.outer(torch.to(positions, 7), torch.reciprocal(torch.pow(10000., omega)))
  return torch.cat([torch.sin(angles), torch.cos(angles)], 1)

def grid_positions(self, at: Tensor, rows: int, columns: int, base: float, scale: float, width: int) -> Tensor:
  # at (L, 4), whose last are row and column -> of the column, then of the row: (L, C) fp32
  x = torch.to(at.select(1, 3), 6) / (columns / base) / scale
  y = torch.to(at.select(1, 2), 6) / (rows / base) / scale
  return torch.to(torch.cat([self.axis(x, width // 2), self.axis(y, width // 2)], 1), 6)

def video_positions(self, at: Tensor, space: float, time: float, width: int) -> Tensor:
  # at (L, 4), whose last are frame, row and column, which are so many times closer -> of the frame a quarter, then of the column
  # and of the row: (L, C) fp32
  t = self.axis(torch.to(at.select(1, 1), 6) / time, width // 4)
  x = self.axis(torch.to(at.select(1, 3), 6) / space, 3 * width // 8)
  y = self.axis(torch.to(at.select(1, 2), 6) / space, 3 * width // 8)
  return torch.to(torch.cat([t, x, y], 1), 6)

def line_positions(self, count: int, width: int, like: Tensor) -> Tensor:
  # (count, width)
  return torch.to(torch.to(self.axis(torch.arange(count, dtype=6, device=like.device), width), 6), like.dtype)
