# B batch, C width. What blocks do is in joint/blocks.py.

def single_modulation(self, t: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # t (B, C) -> shift, factor, gate (3, B, 1, C)
  return self.with_factors_(self.modulations(t, w, "norm.linear"))

def embed_fixed(self, pooled: Tensor, guidance: List[float], w: Dict[str, Tensor]) -> Tensor:
  # pooled (B, pooled width), guidance: one number or none -> (B, C); numbers are computed in the run's type, as in diffusers
  out = self.silu_mlp(pooled, w, "time_text_embed.text_embedder")
  for g in guidance:
    value = float((self.rounded(g, pooled.dtype) * 1000).item())
    out = out + self.embed_number(value, pooled, w, "time_text_embed.guidance_embedder")
  return out

def condition(self, timestep: float, fixed: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # fixed (B, C) -> with the timestep, after the SiLU that every modulation begins with: (B, C)
  value = float((self.rounded(timestep, fixed.dtype) / 1000 * 1000).item())
  return torch.silu(self.embed_number(value, fixed, w, "time_text_embed.timestep_embedder") + fixed)
