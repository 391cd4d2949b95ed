# Weights of 8 bits (decision 0035): whole numbers, and a scale for each row, that is for each output. Where libtorch has
# FBGEMM, those that tokens go through may be packed for it, and tokens are quantized too, each by its largest value. FBGEMM
# adds two products of a byte and a weight in 16 bits: so the scale of a row is such that no two neighbours in it are more than
# 127 together, which keeps 255·(|w| + |w'|) within them, with both rounded up. Shapes: O outputs, I inputs.

def int8_scales(self, weight: Tensor, tokens: bool) -> Tensor:
  # (O, I) -> (O) fp32; of a row of zeros the smallest there is
  size = torch.abs(torch.to(weight, 6))
  if tokens and weight.size(1) > 1:
    size = torch.slice(size, 1, 1) + torch.slice(size, 1, 0, -1)
  return torch.clamp_min(torch.amax(size, 1), 1e-30) / 127

def int8_rows(self, weight: Tensor, scales: Tensor) -> Tensor:
  # (O, I), (O) -> (O, I) int8
  return torch.to(torch.round(torch.to(weight, 6) / scales.unsqueeze(1)), 1)

def int8_pack(self, weight: Tensor) -> List[Tensor]:
  # (O, I) int8 -> what FBGEMM makes of it, a tensor only in name, and the sums (O) of its rows
  return [torch.fbgemm_pack_quantized_matrix(weight), torch.sum(weight, [1], dtype=3)]

def int8_linear(self, x: Tensor, w: Dict[str, Tensor], name: str, gelu: bool, added: Optional[Tensor], dtype: int) -> Tensor:
  # linear_layer with a packed weight
  y = self.int8_product(x, w[name + ".weight_packed"], w[name + ".weight_sums"], w[name + ".weight_scale"])
  if name + ".bias" in w:
    y = torch.add_(y, w[name + ".bias"])
  if gelu:
    y = torch.gelu(y, approximate="tanh")
  if added is not None:
    y = torch.add_(y, added)
  return torch.to(y, dtype)

def int8_product(self, x: Tensor, packed: Tensor, sums: Tensor, scales: Tensor) -> Tensor:
  # x (..., I), and of a weight (O, I) what int8_pack made -> x·weightᵀ (..., O) fp32
  inputs, outputs = x.size(-1), scales.size(0)
  rows = x.numel() // inputs
  # FBGEMM takes one scale from the least and the largest of all values: below tokens that are divided by their largest ones, a
  # row of -128/127 and one of 1 make that 1/127, with 128 as the byte of 0
  within = torch.empty([rows + 2, inputs], dtype=6, device=x.device)
  tokens = torch.slice(within, 0, 0, rows)
  torch.copy_(tokens, x.reshape([rows, inputs]))
  largest = torch.clamp_min(torch.amax(torch.abs(tokens), 1, True), 1e-30)
  torch.div_(tokens, largest)
  torch.fill_(torch.select(within, 0, rows), -128. / 127.)
  torch.fill_(torch.select(within, 0, rows + 1), 1.)
  weight = torch.expand(torch.empty([1, 1], dtype=1, device=x.device), [outputs, inputs])  # for its shape
  none = torch.zeros([outputs], dtype=6, device=x.device)
  y = torch.fbgemm_linear_int8_weight_fp32_activation(within, weight, packed, sums, 1., 0, none)
  y = torch.mul_(torch.mul_(torch.slice(y, 0, 0, rows), largest), scales)
  shape = x.size()
  shape[-1] = outputs
  return y.view(shape)
