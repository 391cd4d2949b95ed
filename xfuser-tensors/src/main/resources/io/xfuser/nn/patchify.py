# B batch, c channels, F frames, h and w latents of each; a token is a block of f frames by p by p latents, n = f·p·p of them;
# L = (F/f)(h/p)(w/p) tokens

def patchify(self, x: Tensor, f: int, p: int) -> Tensor:
  # (B, c, F, h, w), or (B, c, h, w) of one frame -> (B, L, n·c)
  if x.dim() == 4:
    x = x.unsqueeze(2)
  b, c, t, h, w = x.size(0), x.size(1), x.size(2) // f, x.size(3) // p, x.size(4) // p
  return x.view(b, c, t, f, h, p, w, p).permute(0, 2, 4, 6, 3, 5, 7, 1).reshape(b, t * h * w, f * p * p * c)

def unpatchify(self, x: Tensor, f: int, p: int, height: int, width: int) -> Tensor:
  # (B, L, n·c) -> (B·F, c, h, w)
  b, h, w, c = x.size(0), height // p, width // p, x.size(2) // (f * p * p)
  return x.view(b, -1, h, w, f, p, p, c).permute(0, 1, 4, 7, 2, 5, 3, 6).reshape(-1, c, height, width)

def index(self, positions: List[int], x: Tensor) -> Tensor:
  return torch.tensor(positions, dtype=4, device=x.device)

def select(self, x: Tensor, positions: List[int]) -> Tensor:
  return torch.index_select(x, 1, self.index(positions, x))

def assemble(self, shards: List[Tensor], positions: List[int]) -> Tensor:
  x = torch.cat(shards, 1)
  return torch.empty_like(x).index_copy(1, self.index(positions, x), x)

def packed(self, x: Tensor, n: int) -> Tensor:
  # (B, L, n·c) -> (B, L, c·n)
  return x.unflatten(2, [n, -1]).transpose(2, 3).flatten(2).contiguous()

def unpacked(self, x: Tensor, n: int) -> Tensor:
  # (..., c·n) -> (..., n·c)
  return x.unflatten(-1, [-1, n]).transpose(-2, -1).flatten(-2).contiguous()

def unpacked_rows(self, x: Tensor, n: int) -> Tensor:
  # (c·n, ...) -> (n·c, ...)
  return x.unflatten(0, [-1, n]).transpose(0, 1).flatten(0, 1).contiguous()

def frames(self, x: Tensor) -> Tensor:
  # (B, c, F, h, w) -> (B·F, c, h, w)
  return x.transpose(1, 2).flatten(0, 1).contiguous()

def video(self, x: Tensor, frames: int) -> Tensor:
  # (B·F, c, h, w) -> (B, c, F, h, w)
  return x.unflatten(0, [-1, frames]).transpose(1, 2).contiguous()

def swapped(self, x: Tensor) -> Tensor:
  # (B, c, F, h, w) -> (B, F, c, h, w), or the other way round
  return x.transpose(1, 2).contiguous()

def later(self, x: Tensor, frames: int, others: int) -> Tensor:
  # (B·F, c, h, w) -> the same without the first `others` frames of each video
  return x.unflatten(0, [-1, frames]).slice(1, others, frames).flatten(0, 1).contiguous()

def embedding_weight(self, weight: Tensor) -> Tensor:
  # convolution (C, c, p, p) or (C, c, f, p, p) -> linear (C, n·c)
  return weight.movedim(1, -1).flatten(1).contiguous()

def head_rows(self, x: Tensor, n: int, keep: int) -> Tensor:
  # (n·out, ...) -> (n·keep, ...)
  return x.unflatten(0, [n, -1]).slice(1, 0, keep).flatten(0, 1).contiguous()

def coordinates(self, positions: List[int], axes: List[int], like: Tensor) -> Tensor:
  # positions of L tokens in segments one after another, of [frames, rows, columns] each -> (L, 4): segment, frame, row,
  # column
  left = self.index(positions, like)
  out = left.unsqueeze(1).expand([-1, 4])
  for s in range(len(axes) // 3):
    rows, columns = axes[3 * s + 1], axes[3 * s + 2]
    row = torch.floor_divide(left, columns)
    here = torch.stack([torch.full_like(left, s), torch.floor_divide(row, rows), row % rows, left % columns], 1)
    out = torch.where((left >= 0).unsqueeze(1), here, out)
    left = left - axes[3 * s] * rows * columns
  return out
