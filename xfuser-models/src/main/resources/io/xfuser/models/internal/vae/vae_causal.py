# The layers of autoencoders of videos whose frames see those before them. Shapes: F consecutive frames of a video, or pictures
# that are first frames each; T frames before them; C and O channels, H rows, W columns; G channels of a mean.

def kernel_over_frames(self, weight: Tensor) -> Tensor:
  # (O, C, T + 1, 1, 1) of every second frame -> (O, (T + 1)·C, 1, 1)
  return torch.flatten(torch.transpose(weight, 1, 2), 1, 2)

def pixel_norm_(self, x: Tensor, w: Dict[str, Tensor], silu: bool) -> Tensor:
  # x (F, C, H, W), in its memory: the root mean square of each position's channels becomes 1, times (C, 1, 1)
  length = torch.clamp_min(torch.linalg_vector_norm(x, 2, [1], True), 1e-12)
  y = torch.mul_(torch.mul_(torch.div_(x, length), float(x.size(1)) ** 0.5), w["norm.weight"])
  if silu:
    return torch.silu_(y)
  return y

def seen(self, x: Tensor, edges: List[Tensor], before: List[Tensor], past: int, repeated: bool, w: Dict[str, Tensor]) -> Tensor:
  # What a convolution sees of x (F, C, H, W): perhaps a row above and one below (F, C, 1, W), and as many frames as it looks
  # back, which it has seen before (T, C, H', W), or which are zeros, or the first one repeated. Where w has a norm, what is new is
  # normalised here.
  e = 1 if len(edges) > 0 else 0
  normed = "norm.weight" in w
  if e == 0 and past == 0 and not normed:
    return x
  h = x.size(2)
  size = [past + x.size(0), x.size(1), h + 2 * e, x.size(3)]
  if x.is_cpu:
    y = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=2)
  else:
    y = torch.empty(size, dtype=x.dtype, device=x.device)
  if len(before) > 0:
    torch.copy_(torch.slice(y, 0, 0, past), before[0])
  elif not repeated:
    torch.zero_(torch.slice(y, 0, 0, past))
  here = torch.slice(y, 0, past, past + x.size(0))
  torch.copy_(torch.slice(here, 2, e, e + h), x)
  if e == 1:
    torch.copy_(torch.slice(here, 2, 0, 1), edges[0])
    torch.copy_(torch.slice(here, 2, h + 1, h + 2), edges[1])
  if normed:
    self.pixel_norm_(here, w, True)
  if repeated and len(before) == 0:
    torch.copy_(torch.slice(y, 0, 0, past), torch.slice(here, 0, 0, 1))
  return y

def seen_surrounded(self, x: Tensor, edges: List[Tensor], before: List[Tensor], top: bool, bottom: bool,
                  past: int, w: Dict[str, Tensor]) -> Tensor:
  # The same with a row and a column on each side, which repeat the outermost ones at the picture's edges, and with the first
  # frame before itself -> (T + F, C, H + 2, W + 2)
  h, v = x.size(2), x.size(3)
  size = [past + x.size(0), x.size(1), h + 2, v + 2]
  if x.is_cpu:
    y = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=2)
  else:
    y = torch.empty(size, dtype=x.dtype, device=x.device)
  here = torch.slice(y, 0, past, past + x.size(0))
  own = torch.slice(here, 3, 1, v + 1)
  torch.copy_(torch.slice(own, 2, 1, h + 1), x)
  torch.copy_(torch.slice(own, 2, 0, 1), torch.slice(x, 2, 0, 1) if top else edges[0])
  torch.copy_(torch.slice(own, 2, h + 1, h + 2), torch.slice(x, 2, h - 1, h) if bottom else edges[1])
  if "norm.weight" in w:
    self.pixel_norm_(own, w, True)
  torch.copy_(torch.slice(here, 3, 0, 1), torch.slice(here, 3, 1, 2))
  torch.copy_(torch.slice(here, 3, v + 1, v + 2), torch.slice(here, 3, v, v + 1))
  first = torch.slice(here, 0, 0, 1) if len(before) == 0 else before[0]
  torch.copy_(torch.slice(y, 0, 0, past), first)
  return y

def blocks(self, x: Tensor, like: Tensor) -> Tensor:
  # x (F, C, H, W), which has more frames, rows and columns than like (T, C, h, w) -> a view (T, F/T, C, h, H/h, w, W/w)
  y = torch.unflatten(torch.unflatten(x, 3, [like.size(3), -1]), 2, [like.size(2), -1])
  return torch.unflatten(y, 0, [like.size(0), -1])

def as_blocks(self, x: Tensor) -> Tensor:
  # (T, C, h, w) -> a view (T, 1, C, h, 1, w, 1)
  return torch.unsqueeze(torch.unsqueeze(torch.unsqueeze(x, 1), 4), 6)

def alone(self, frames: int) -> int:
  # how many frames at the beginning of those that pass together have none beside them: of an odd number the first
  return frames % 2

def twice(self, x: Tensor) -> Tensor:
  # x (F, C, H, W) -> two frames of each, but of one that is alone, and twice as many rows and columns: each value repeated
  n, first = x.size(0), self.alone(x.size(0))
  size = [2 * n - first, x.size(1), 2 * x.size(2), 2 * x.size(3)]
  if x.is_cpu:
    y = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=2)
  else:
    y = torch.empty(size, dtype=x.dtype, device=x.device)
  for part in [[0, first], [first, n]]:
    if part[0] < part[1]:
      here = torch.slice(x, 0, part[0], part[1])
      into = torch.slice(y, 0, 2 * part[0] - part[0] % 2, 2 * part[1] - first)
      torch.copy_(self.blocks(into, here), self.as_blocks(here))
  return y

def conditions(self, z: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # latents z (T, c, h, w) -> factors and what is added (T, 2·C, h, w)
  return self.convolve(z, w, "conv", [0, 0])

def conditioned_(self, x: Tensor, by: Tensor) -> Tensor:
  # x (F, C, H, W), in its memory: times factors and added to, of the latents that each position is made of, (T, 2·C, h, w); then SiLU
  factors, added = torch.chunk(by, 2, 1)  # (T, C, h, w)
  n, first = by.size(0), self.alone(by.size(0))
  for part in [[0, first], [first, n]]:
    if part[0] < part[1]:
      y = torch.slice(factors, 0, part[0], part[1])
      here = torch.slice(x, 0, part[0], first if part[0] < first else x.size(0))
      into = self.blocks(here, y)
      torch.mul_(into, self.as_blocks(y))
      torch.add_(into, self.as_blocks(torch.slice(added, 0, part[0], part[1])))
  return torch.silu_(x)

def looked_back(self, x: Tensor, w: Dict[str, Tensor], padding: List[int]) -> Tensor:
  # x (T + F, C, H, W) as `seen` gave it -> (F, O, H', W')
  return self.convolve(x, w, "conv", padding)

def doubled(self, x: Tensor) -> Tensor:
  # (F, 2·C, H, W): two frames after one another -> (2·F, C, H, W)
  y = torch.flatten(torch.unflatten(x, 1, [2, -1]), 0, 1)
  if x.is_cpu:
    return torch.contiguous(y, memory_format=2)
  return torch.contiguous(y)

def halved_frames(self, x: Tensor, before: Tensor, w: Dict[str, Tensor]) -> Tensor:
  # x (2·F, C, H, W) after one frame (1, C, H, W) -> (F, O, H, W), each of three frames, every second one
  all = torch.cat([before, x], 0)
  n = x.size(0)
  threes = torch.cat([torch.slice(all, 0, 0, n, 2), torch.slice(all, 0, 1, n + 1, 2), torch.slice(all, 0, 2, n + 1, 2)], 1)
  if x.is_cpu:
    threes = torch.contiguous(threes, memory_format=2)
  return self.convolve(threes, w, "conv", [0, 0])

def averaged(self, x: Tensor, out: int, time: int, space: int, first: bool) -> Tensor:
  # x (F, C, H, W), blocks of time × space × space positions as channels, groups of which become their mean
  # -> (F/time, out, H/space, W/space); before a first frame are zeros
  if first:
    y = torch.unsqueeze(x, 1)
    if time > 1:
      y = torch.cat([torch.zeros_like(y).expand([-1, time - 1, -1, -1, -1]), y], 1)
  else:
    y = torch.unflatten(x, 0, [-1, time])  # (F', time, C, H, W)
  y = torch.unflatten(torch.unflatten(y, 4, [-1, space]), 3, [-1, space])  # (F', time, C, H', space, W', space)
  y = torch.flatten(torch.permute(y, [0, 2, 1, 4, 6, 3, 5]), 1, 4)  # (F', C·time·space·space, H', W')
  y = torch.mean(torch.unflatten(y, 1, [out, -1]), [2])  # (F', out, H', W')
  if x.is_cpu:
    return torch.contiguous(y, memory_format=2)
  return y

def spread(self, x: Tensor, out: int, time: int, space: int, first: bool) -> Tensor:
  # x (F, C, H, W), its channels repeated, as blocks of time × space × space positions -> (F·time, out, H·space, W·space);
  # of a first frame the last one of a block
  y = torch.repeat_interleave(x, out * time * space * space // x.size(1), 1)
  y = torch.unflatten(y, 1, [out, time, space, space])  # (F, out, time, space, space, H, W)
  y = torch.permute(y, [0, 2, 1, 5, 3, 6, 4])  # (F, time, out, H, space, W, space)
  if first:
    y = torch.slice(y, 1, time - 1, time)
  y = torch.flatten(torch.flatten(torch.flatten(y, 5, 6), 3, 4), 0, 1)
  if x.is_cpu:
    return torch.contiguous(y, memory_format=2)
  return torch.contiguous(y)

def patched(self, x: Tensor, side: int) -> Tensor:
  # pixels (F, 3, H, W) -> (F, 3·side·side, H/side, W/side): of each colour the columns, of each column the rows
  y = torch.unflatten(torch.unflatten(x, 3, [-1, side]), 2, [-1, side])  # (F, 3, H', side, W', side)
  y = torch.flatten(torch.permute(y, [0, 1, 5, 3, 2, 4]), 1, 3)
  if x.is_cpu:
    return torch.contiguous(y, memory_format=2)
  return torch.contiguous(y)

def shown(self, x: Tensor, side: int, clamped: bool) -> Tensor:
  # (F, 3·side·side, H, W) as `patched` gives it -> pixels (F, 3, H·side, W·side), perhaps of −1 to 1
  if side > 1:
    y = torch.permute(torch.unflatten(x, 1, [-1, side, side]), [0, 1, 4, 3, 5, 2])  # (F, 3, H, side, W, side)
    x = torch.flatten(torch.flatten(y, 4, 5), 2, 3)
  if clamped:
    return torch.clamp(x, -1., 1.)
  return x

def unfolded(self, x: Tensor, time: int) -> Tensor:
  # (F, time·2·2·C, H, W) -> (F·time, C, 2·H, 2·W)
  y = torch.unflatten(x, 1, [time, 2, 2, -1])  # (F, time, 2, 2, C, H, W)
  y = torch.flatten(torch.permute(y, [0, 1, 4, 5, 2, 6, 3]), 0, 1)  # (F·time, C, H, 2, W, 2)
  return torch.flatten(torch.flatten(y, 4, 5), 2, 3)

def raised(self, y: Tensor, x: Tensor, out: int, time: int, first: bool) -> Tensor:
  # y (F, time·4·out, H, W) of x (F, C, H, W) -> both, channels of x repeated, as (F·time, out, 2·H, 2·W); a first frame stays
  # one, of half the channels of y
  times = 4 * out // x.size(1)
  if time == 1:
    z = self.unfolded(y, 1) + self.unfolded(torch.repeat_interleave(x, times, 1), 1)
  elif first:
    z = torch.slice(self.unfolded(y, 1), 1, 0, out) + torch.repeat_interleave(self.unfolded(x, 1), times, 1)
  else:
    z = self.unfolded(y, time) + torch.repeat_interleave(self.unfolded(x, time), time * times, 1)
  if x.is_cpu:
    return torch.contiguous(z, memory_format=2)
  return z

def with_repeats(self, y: Tensor, x: Tensor) -> Tensor:
  # y (F, O, H, W) of x (F, C, H, W) -> both, channels of x repeated
  return torch.add_(y, torch.repeat_interleave(x, y.size(1) // x.size(1), 1))

def both_after(self, before: List[Tensor], k: Tensor, v: Tensor) -> Tensor:
  # none or (2, K, C), keys and values of a frame, each (1, L, C) -> (2, K + L, C)
  own = torch.cat([k, v], 0)
  if len(before) == 0:
    return own
  return torch.cat([before[0], own], 1)
