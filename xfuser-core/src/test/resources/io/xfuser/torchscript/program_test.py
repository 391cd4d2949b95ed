def arguments(self, x: Tensor, xs: List[Tensor], n: int, f: float, flag: bool, name: str,
              ints: List[int], floats: List[float]) -> Tensor:
  if flag and name == "add":
    x = x + xs[0] + xs[1]
  return x + float(n + ints[0] + ints[1]) + f + floats[0]

def affine(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
  return self.linear(x, weight, bias)
