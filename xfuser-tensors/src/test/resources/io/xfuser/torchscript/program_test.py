def arguments(self, x: Tensor, w: Dict[str, Tensor], xs: List[Tensor], n: int, f: float, flag: bool, name: str,
              ints: List[int], floats: List[float]) -> Tensor:
  if flag and name == "add":
    x = x + w["first"] + xs[0] + xs[1]
  return x + float(n + ints[0] + ints[1]) + f + floats[0]

def sign_of_zero(self, x: Tensor) -> Tensor:
  # of x = 0: inf as it is written, since -0 + 0 is +0; -inf once the profiling executor has taken out the addition
  return torch.reciprocal(torch.add(torch.neg(x), 0))

def affine(self, x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  return self.linear(x, w, "a")
