# Decoded pictures. Shapes: B pictures, H rows, W columns.

def denormalize(self, pixels: Tensor) -> Tensor:
  # (B, 3, H, W) about -1 to 1 -> 0 to 1, in the pixels' type
  return torch.clamp(pixels * 0.5 + 0.5, 0, 1)

def not_finite(self, values: Tensor) -> Tensor:
  # of any shape -> (1), int64; only a finite number less itself is 0
  return torch.sum(torch.ne(values - values, 0)).reshape([1])

def quantize(self, pixels: Tensor) -> Tensor:
  # (B, 3, H, W) about -1 to 1 -> 8-bit values; halves go to the even neighbour, as numpy rounds
  values = torch.to(self.denormalize(pixels), 6) * 255
  return torch.contiguous(torch.to(torch.round(values), 0))

def picture(self, pixels: Tensor, index: int) -> Tensor:
  # (B, 3, H, W) -> (3, H, W)
  return torch.select(pixels, 0, index)

def resize_and_crop(self, pixels: Tensor, resized: List[int], size: List[int]) -> Tensor:
  # (B, 3, H, W) -> resized, each (rows, columns), then size out of its middle
  scaled = torch.upsample_bilinear2d(pixels, resized, False)
  top = (resized[0] - size[0]) // 2
  left = (resized[1] - size[1]) // 2
  rows = torch.slice(scaled, 2, top, top + size[0])
  return torch.contiguous(torch.slice(rows, 3, left, left + size[1]))

def videos(self, pixels: Tensor, frames: int) -> Tensor:
  # (B·F, 3, H, W) -> (B, F, 3, H, W)
  return pixels.unflatten(0, [-1, frames])
