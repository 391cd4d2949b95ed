def random(self, shape: List[int], seed: int) -> Tensor:
  generator = torch.Generator(device=torch.device("cpu"), seed=seed)
  return torch.randn(shape, generator=generator, dtype=6, device=torch.device("cpu"))

def packed_product(self, x: Tensor, weight: Tensor) -> Tensor:
  scales = self.int8_scales(weight, True)
  packed = self.int8_pack(self.int8_rows(weight, scales))
  return self.int8_product(x, packed[0], packed[1], scales)

def exact_product(self, x: Tensor, weight: Tensor) -> Tensor:
  # with both factors rounded as they are by packed_product
  scales = self.int8_scales(weight, True)
  largest = torch.amax(torch.abs(x), -1, True)
  whole = torch.round(torch.to(x / largest * 127, 7)) @ torch.to(self.int8_rows(weight, scales), 7).transpose(0, 1)
  return torch.to(whole * torch.to(scales, 7) * torch.to(largest, 7) / 127, 6)

def largest(self, x: Tensor) -> float:
  return float(torch.abs(x).max().item())

def saturating(self, rows: int, inputs: int) -> Tensor:
  # two neighbours in each row that are as large as they can be
  return torch.ones([rows, inputs], dtype=6, device=torch.device("cpu"))
