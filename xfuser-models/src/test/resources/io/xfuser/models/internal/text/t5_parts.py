# A block of T5 with two texts, together and each alone. T tokens, D model width, H heads of width K, F width between.

def numbers(self, seed: int, shape: List[int], scale: float) -> Tensor:
  generator = torch.Generator(device=torch.device("cpu"), seed=seed)
  return torch.randn(shape, generator=generator, dtype=6, device=torch.device("cpu")) * scale

def wide_layer(self, width: int, inner: int, scale: float, dtype: int) -> Dict[str, Tensor]:
  # matrices that lie in a file in fp16 and are multiplied in dtype; H·K is F
  w = {"layer.0.layer_norm.weight": torch.ones([width], dtype=dtype)}
  w["layer.1.layer_norm.weight"] = torch.ones([width], dtype=dtype)
  names = ["0.SelfAttention.q", "0.SelfAttention.k", "0.SelfAttention.v", "1.DenseReluDense.wi_0", "1.DenseReluDense.wi_1"]
  for i in range(len(names)):
    w["layer." + names[i] + ".weight_kept"] = torch.to(self.numbers(i, [inner, width], scale), 5)
  names = names + ["0.SelfAttention.o", "1.DenseReluDense.wo"]
  for i in range(2):
    w["layer." + names[-1 - i] + ".weight_kept"] = torch.to(self.numbers(8 + i, [width, inner], scale), 5)
  for name in names:
    w["layer." + name + ".weight_type"] = torch.empty([0], dtype=dtype)
  return w

def through(self, x: Tensor, w: Dict[str, Tensor], texts: int) -> Tensor:
  bias = torch.zeros([x.size(0), 1, 1, 1], dtype=x.dtype)
  return self.block(x, w, bias, 64, 1e-6, texts, [0, 2, 1])

def equal(self, x: Tensor, y: Tensor) -> int:
  return 1 if bool(torch.all(torch.eq(x, y))) else 0

def together(self, tokens: int, width: int, inner: int, texts: int) -> int:
  # whether the bits of two texts that are so many parts are those of each alone
  x, w = self.numbers(10, [2, tokens, width], 1.), self.wide_layer(width, inner, 0.05, 6)
  alone = torch.cat([self.through(torch.clone(x[k : k + 1]), w, 1) for k in range(2)], 0)
  return self.equal(self.through(x, w, texts), alone)

def overflowing(self, texts: int) -> int:
  # the same in float16, whose largest number is 65504, of a text that overflows and of one that nearly does
  w = self.wide_layer(128, 64, 0.5, 5)
  x = torch.cat([torch.full([1, 5, 128], 65504., dtype=5), torch.full([1, 5, 128], 65024., dtype=5)], 0)
  x = x * torch.to(self.numbers(11, [1, 5, 128], 1.) > 0, 5)
  alone = torch.cat([self.through(torch.clone(x[k : k + 1]), w, 1) for k in range(2)], 0)
  assert float(alone[0].max().item()) < 65024. and float(alone[1].max().item()) > 65024.  # the one was cut, the other not
  return self.equal(self.through(x, w, texts), alone)

def differs_by_rows(self) -> int:
  # whether kernels are known to sum in another order here where there are twice as many rows
  return 1 if self.multiplies_into(torch.empty([1, 256, 8]), torch.empty([640, 8]), torch.empty([1, 256, 640])) else 0
