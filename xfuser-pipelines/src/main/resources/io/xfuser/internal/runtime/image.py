# Pictures that were decoded, and those that are to be encoded. Shapes: B pictures, H rows, W columns.

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

def colors(self, latents: Tensor, factors: List[float], bias: List[float]) -> Tensor:
  # (B, c·p·p, h, w), p by p latents in one place, by the colours of c channels -> (B, 3, h·p, w·p), fp32
  channels = len(factors) // 3
  side = 1
  while side * side * channels < latents.size(1):
    side += 1
  x = torch.pixel_shuffle(torch.to(latents, 6), side)
  scales = torch.tensor(factors, dtype=6, device=x.device).reshape([1, channels, 3, 1, 1])
  at_zero = torch.tensor(bias, dtype=6, device=x.device).reshape([1, 3, 1, 1])
  return torch.sum(x.unsqueeze(2) * scales, 1) + at_zero

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

def normalize(self, values: Tensor) -> Tensor:
  # 8-bit values (H, W, 3) -> (1, 3, H, W), −1 to 1
  return 2.0 * (torch.to(values, 6).permute([2, 0, 1]).unsqueeze(0) / 255.0) - 1.0

def cover(self, pixels: Tensor, mask: Tensor) -> Tensor:
  # pixels (1, 3, H, W), where the mask (H, W, 1) is 128 or more in the middle of their range
  return pixels * torch.to(torch.lt(mask, 128), 6).permute([2, 0, 1]).unsqueeze(0)

def mask_of_latents(self, mask: Tensor, shape: List[int], dtype: int) -> Tensor:
  # 8-bit mask (H, W, 1) -> 0 and 1 of the nearest pixel, for latents (1, c, h, w)
  drawn = torch.to(torch.ge(mask, 128), 6).permute([2, 0, 1]).unsqueeze(0)
  return torch.to(torch.upsample_nearest2d(drawn, shape[2:]).expand(shape), dtype)

def mask_as_channels(self, mask: Tensor, height: int, width: int, dtype: int) -> Tensor:
  # 8-bit mask (h·s, w·s, 1) -> 0 and 1, (1, s·s, h, w)
  rows = mask.size(0) // height
  columns = mask.size(1) // width
  drawn = torch.to(torch.ge(mask, 128), dtype).reshape([height, rows, width, columns])
  return drawn.permute([1, 3, 0, 2]).reshape([1, rows * columns, height, width])

def join(self, x: Tensor, y: Tensor) -> Tensor:
  # (B, L, c) and (B, L, e) -> (B, L, c + e)
  return torch.cat([x, y], 2)

def frames_between(self, first: Tensor, last: List[Tensor], frames: int) -> Tensor:
  # (1, 3, H, W) -> (frames, 3, H, W): a video that begins with the first, ends with the last if there is one, else is grey
  size = [frames - 1 - len(last)] + list(first.shape[1:])
  return torch.cat([first, torch.zeros(size, dtype=first.dtype, device=first.device)] + last)

def with_frames_given(self, latents: Tensor, together: int, last: bool) -> Tensor:
  # (1, c, F, h, w) -> (1, together + c, F, h, w): before them, for each of the frames of pixels that one of latents stands
  # for, 1 where it is given; the first stands for one
  size = [1, together] + list(latents.shape[2:])
  given = torch.zeros(size, dtype=latents.dtype, device=latents.device)
  given.select(2, 0).fill_(1)
  if last:
    given.select(2, -1).select(1, -1).fill_(1)
  return torch.cat([given, latents], 1)

def frames_given(self, latents: Tensor, frames: int) -> Tensor:
  # of a video's first frame (1, c, 1, h, w) -> (1, c, frames, h, w), 0 in the others
  return torch.constant_pad_nd(latents, [0, 0, 0, 0, 0, frames - 1])

def frames_drawn(self, latents: Tensor, frames: int) -> Tensor:
  # the same with 0 in the first frame, 1 in the others
  return 1 - self.frames_given(torch.ones_like(latents), frames)
