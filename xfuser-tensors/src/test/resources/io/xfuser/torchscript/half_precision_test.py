# Each function as it is computed in the type of x, and its equation in fp32.

def linear_functions(self, x: Tensor, w: List[Tensor]) -> List[Tensor]:
  # x (..., C); w: (C, C), (C), (C, C), (C)
  n = {"a.weight": w[0], "a.bias": w[1], "b.weight": w[2], "b.bias": w[3], "alone.weight": w[0]}
  out = [self.linear(x, n, "a"), self.linear_add(x, n, "a", x), self.mlp_gelu_tanh(x, n, "a", "b")]
  out = out + [self.mlp_gelu_tanh_add(x, n, "a", "b", x), self.linear(x, n, "alone"), self.matmul(x, w[0])]
  return out + [self.linear_add(x, n, "alone", x), self.mlp_gelu_tanh(x, n, "alone", "alone")]

def linear_equations(self, x: Tensor, w: List[Tensor]) -> List[Tensor]:
  x = torch.to(x, 6)
  y = torch.linear(x, torch.to(w[0], 6), torch.to(w[1], 6))
  mlp = torch.linear(torch.gelu(y, approximate="tanh"), torch.to(w[2], 6), torch.to(w[3], 6))
  alone = torch.matmul(x, torch.to(w[0], 6).transpose(0, 1))
  again = torch.matmul(torch.gelu(alone, approximate="tanh"), torch.to(w[0], 6).transpose(0, 1))
  return [y, x + y, mlp, mlp + x, alone, torch.matmul(x, torch.to(w[0], 6)), x + alone, again]

def convolutions(self, x: Tensor, weight: Tensor, bias: Tensor, padding: List[int]) -> List[Tensor]:
  # x (B, C, H, W), weight (O, C, KH, KW), bias (O) -> (B, O, H', W')
  w = {"biased.weight": weight, "biased.bias": bias, "plain.weight": weight}
  return [self.convolve(x, w, "biased", padding), self.convolve(x, w, "plain", padding)]

def convolution_equation(self, x: Tensor, weight: Tensor, bias: Tensor, padding: List[int]) -> List[Tensor]:
  plain = torch.conv2d(torch.to(x, 6), torch.to(weight, 6), None, [1, 1], padding, [1, 1], 1)
  return [plain + torch.to(bias, 6).view([-1, 1, 1]), plain]

def attention(self, q: Tensor, k: Tensor, v: Tensor) -> List[Tensor]:
  return [self.attend(q, k, v)]

def attention_equation(self, q: Tensor, k: Tensor, v: Tensor) -> List[Tensor]:
  scores = torch.matmul(torch.to(q, 6), torch.to(k, 6).transpose(2, 3)) / (float(q.size(3)) ** 0.5)
  return [torch.matmul(torch.softmax(scores, -1), torch.to(v, 6)).transpose(1, 2)]

def weighed_equation(self, packed: Tensor, weights: Tensor) -> Tensor:
  # packed (B, L, 3, H, D), weights (B, T) of the first tokens; the others' are 1 -> (B, L, H, D)
  q, k, v = [packed.select(2, i).transpose(1, 2) for i in range(3)]
  w = torch.constant_pad_nd(weights, [0, packed.size(1) - weights.size(1)], 1)
  scores = torch.matmul(q, k.transpose(2, 3)) / (float(q.size(3)) ** 0.5) + (w.unsqueeze(2) * w.unsqueeze(1)).unsqueeze(1)
  return torch.matmul(torch.softmax(scores, -1), v).transpose(1, 2)

def weights(self, mask: Tensor) -> Tensor:
  # (B, T) ones and zeros -> ones and halves, in fp32
  return (torch.to(mask, 6) + 1) / 2

def random(self, shape: List[int], seed: int, dtype: int) -> Tensor:
  generator = torch.Generator(device=torch.device("cpu"), seed=seed)
  return torch.to(torch.randn(shape, generator=generator, dtype=6, device=torch.device("cpu")), dtype)

def difference(self, xs: List[Tensor], ys: List[Tensor]) -> float:
  # the largest, relative to the largest value
  worst = 0.
  for i in range(len(xs)):
    y = ys[i]
    worst = max(worst, float((torch.to(xs[i], 6) - y).abs().max().item()) / float(y.abs().max().item()))
  return worst

def type_of(self, xs: List[Tensor]) -> int:
  return xs[0].dtype

def heads(self, packed: Tensor) -> List[Tensor]:
  # (B, L, 3, H, D) -> queries, keys and values, each (B, H, L, D)
  return [packed.select(2, i).transpose(1, 2) for i in range(3)]

def widened(self, device: str, dtype: int) -> int:
  x = torch.empty([100, 8], dtype=dtype, device=torch.device(device))
  return int(self.product_type(x) != dtype)
