# The operators that multiply on the CPU, which refuse factors of another type than `multiplied`.

def watch(self, x: Tensor) -> Tensor:
  assert x.dtype == self.multiplied(), "multiplied in another type"
  return x

def watched_linear(self, x: Tensor, weight: Tensor, bias: Optional[Tensor]=None) -> Tensor:
  return torch.linear(self.watch(x), weight, bias)

def watched_fbgemm_linear_int8_weight_fp32_activation(self, x: Tensor, weight: Tensor, packed: Tensor, sums: Tensor,
                                                      scale: float, zero: int, bias: Tensor) -> Tensor:
  # takes fp32 and rounds that to 8 bits
  assert x.dtype == 6
  return torch.fbgemm_linear_int8_weight_fp32_activation(x, weight, packed, sums, scale, zero, bias)

def watched_fbgemm_pack_quantized_matrix(self, weight: Tensor) -> Tensor:
  return torch.fbgemm_pack_quantized_matrix(weight)

def watched_bmm(self, x: Tensor, y: Tensor) -> Tensor:
  return torch.bmm(self.watch(x), y)

def watched_matmul(self, x: Tensor, y: Tensor) -> Tensor:
  # a ring sums in fp32, whatever is multiplied otherwise
  if x.dtype == 6:
    return torch.matmul(x, y)
  return torch.matmul(self.watch(x), y)

def watched_conv2d(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], stride: List[int], padding: List[int], dilation: List[int],
                   groups: int) -> Tensor:
  return torch.conv2d(self.watch(x), weight, bias, stride, padding, dilation, groups)

def watched_conv3d(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], stride: List[int], padding: List[int], dilation: List[int],
                   groups: int) -> Tensor:
  return torch.conv3d(self.watch(x), weight, bias, stride, padding, dilation, groups)

def watched_scaled_dot_product_attention(self, q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor]=None) -> Tensor:
  return torch.scaled_dot_product_attention(self.watch(q), k, v, mask)

def watched__scaled_dot_product_attention_math(self, q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor]) -> Tuple[Tensor, Tensor]:
  return torch._scaled_dot_product_attention_math(self.watch(q), k, v, mask)

def watched__scaled_dot_product_flash_attention_for_cpu(self, q: Tensor, k: Tensor, v: Tensor,
                                                          attn_mask: Optional[Tensor]) -> Tuple[Tensor, Tensor]:
  return torch._scaled_dot_product_flash_attention_for_cpu(self.watch(q), k, v, attn_mask=attn_mask)
