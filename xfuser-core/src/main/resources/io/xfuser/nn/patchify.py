# B batch, c channels, h and w latents, p patch size, L = (h/p)(w/p) tokens

def patchify(self, x: Tensor, p: int) -> Tensor:
  # (B, c, h, w) -> (B, L, p·p·c)
  b, c, h, w = x.size(0), x.size(1), x.size(2) // p, x.size(3) // p
  return x.view(b, c, h, p, w, p).permute(0, 2, 4, 3, 5, 1).reshape(b, h * w, p * p * c)

def unpatchify(self, x: Tensor, p: int, height: int, width: int) -> Tensor:
  # (B, L, p·p·c) -> (B, c, h, w)
  b, h, w = x.size(0), height // p, width // p
  return x.view(b, h, w, p, p, -1).permute(0, 5, 1, 3, 2, 4).reshape(b, -1, height, width)

def index(self, positions: List[int], x: Tensor) -> Tensor:
  return torch.tensor(positions, dtype=4, device=x.device)

def select(self, x: Tensor, positions: List[int]) -> Tensor:
  return torch.index_select(x, 1, self.index(positions, x))

def assemble(self, shards: List[Tensor], positions: List[int]) -> Tensor:
  x = torch.cat(shards, 1)
  return torch.empty_like(x).index_copy(1, self.index(positions, x), x)

def packed(self, x: Tensor, p: int) -> Tensor:
  # (B, L, p·p·c) -> (B, L, c·p·p)
  return x.unflatten(2, [p * p, -1]).transpose(2, 3).flatten(2).contiguous()

def unpacked(self, x: Tensor, p: int) -> Tensor:
  # (..., c·p·p) -> (..., p·p·c)
  return x.unflatten(-1, [-1, p * p]).transpose(-2, -1).flatten(-2).contiguous()

def unpacked_rows(self, x: Tensor, p: int) -> Tensor:
  # (c·p·p, ...) -> (p·p·c, ...)
  return x.unflatten(0, [-1, p * p]).transpose(0, 1).flatten(0, 1).contiguous()

def frames(self, x: Tensor) -> Tensor:
  # (B, c, F, h, w) -> (B·F, c, h, w)
  return x.transpose(1, 2).flatten(0, 1).contiguous()

def video(self, x: Tensor, frames: int) -> Tensor:
  # (B·F, c, h, w) -> (B, c, F, h, w)
  return x.unflatten(0, [-1, frames]).transpose(1, 2).contiguous()

def embedding_weight(self, weight: Tensor) -> Tensor:
  # convolution (C, c, p, p) -> linear (C, p·p·c)
  return weight.permute(0, 2, 3, 1).flatten(1).contiguous()

def head_rows(self, x: Tensor, squares: int, keep: int) -> Tensor:
  # (p·p·out, ...) -> (p·p·keep, ...)
  return x.unflatten(0, [squares, -1]).slice(1, 0, keep).flatten(0, 1).contiguous()
