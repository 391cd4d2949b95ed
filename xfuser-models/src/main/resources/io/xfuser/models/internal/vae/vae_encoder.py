# What AutoencoderKL's and AutoencoderTiny's encoders have besides what vae.py has. Shapes: B pictures, C channels, H rows,
# W columns; c latent channels.

def enter_pixels(self, pixels: Tensor, dtype: int) -> Tensor:
  # pixels (B, 3, H, W), −1 to 1, laid out as vae.py says
  x = torch.to(pixels, dtype)
  if x.is_cpu:
    return torch.contiguous(x, memory_format=2)
  return x

def halve(self, x: Tensor, above: Tensor, below: Tensor, around: bool, w: Dict[str, Tensor]) -> Tensor:
  # x (B, C, H, W) with the rows above and below (B, C, 1, W), 3×3-convolved with stride 2 -> (B, C, H/2, W/2); the
  # first row and column are of 0 to 2, or if `around` of −1 to 1
  rows = torch.cat([above, x, below], 2) if around else torch.cat([x, below], 2)
  columns = torch.constant_pad_nd(rows, [1 if around else 0, 1], 0)  # (B, C, H + 1 or 2, W + 1 or 2)
  return self.convolve_by(columns, w, "conv", [0, 0], 2)

def around_half(self, x: Tensor) -> Tensor:
  # pixels of −1 to 1 -> TAESD's of 0 to 1
  return x.add(1).div(2)

def drawn(self, encoded: Tensor, noise: List[Tensor]) -> Tensor:
  # means and logarithms of variances (B, 2c, h, w) and noise (B, c, h, w), or none -> (B, c, h, w)
  x, logarithms = torch.chunk(encoded, 2, 1)
  if len(noise) > 0:
    return x + torch.exp(0.5 * torch.clamp(logarithms, -30.0, 20.0)) * noise[0]
  return x

def leave(self, encoded: Tensor, noise: List[Tensor], plain: bool, scaling: float, shift: float) -> Tensor:
  # what `drawn` takes -> latents (B, c, h, w), drawn and scaled; plain: encoded are latents
  x = encoded if plain else self.drawn(encoded, noise)
  return torch.contiguous((x - shift) * scaling)

def leave_whitened(self, encoded: Tensor, noise: List[Tensor], means: List[float], deviations: List[float]) -> Tensor:
  # what `drawn` takes -> latents (B, c, h, w) of mean 0 and deviation 1 in each channel
  x = self.drawn(encoded, noise)
  x = x - torch.tensor(means, dtype=x.dtype, device=x.device).view([1, -1, 1, 1])
  return torch.contiguous(x / torch.tensor(deviations, dtype=x.dtype, device=x.device).view([1, -1, 1, 1]))
