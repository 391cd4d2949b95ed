# Stand-ins of operators that libtorch cannot run on tensors without memory: the same shapes, types and devices.

def meta_index_select(self, x: Tensor, dim: int, index: Tensor) -> Tensor:
  return torch.index(x.transpose(0, dim), annotate(List[Optional[Tensor]], [index])).transpose(0, dim)

def meta_where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
  return x * torch.to(condition, x.dtype) + y * torch.to(condition, y.dtype)

def meta_relu(self, x: Tensor) -> Tensor:
  return torch.clamp(x, 0)

def meta_var_mean(self, x: Tensor, dims: List[int], unbiased: bool, keep: bool) -> Tuple[Tensor, Tensor]:
  mean = torch.mean(x, dims, keep)
  return (mean, mean)

def meta_layer_norm(self, x: Tensor, shape: List[int], weight: Optional[Tensor], bias: Optional[Tensor], eps: float) -> Tensor:
  # one kernel that reads and writes what CUDA's does, which makes x contiguous first
  x = x.contiguous()
  if weight is not None and bias is not None:
    return torch.addcmul(bias, x, weight)
  if weight is not None:
    return torch.mul(x, weight)
  return torch.mul(x, eps)

def meta_group_norm(self, x: Tensor, groups: int, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
  return x * weight.view([1, -1, 1, 1]) + bias.view([1, -1, 1, 1])

def meta_logsumexp(self, x: Tensor, dims: List[int], keep: bool) -> Tensor:
  return torch.sum(x, dims, keep)

def meta_attention(self, q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor]=None) -> Tensor:
  # one kernel for Traffic.java, whose result lies in memory as FlashAttention's and cuDNN's, in the order of the queries; with a
  # mask as that of memory-efficient attention, (B, L, H, D)
  scores = torch.matmul(q, k.transpose(2, 3))
  if mask is not None:
    return torch.matmul(torch.softmax(scores + mask, 3), v).transpose(1, 2).contiguous().transpose(1, 2)
  return torch.copy_(torch.empty_like(q), torch.matmul(torch.softmax(scores, 3), v))

def meta_math(self, q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor]) -> Tuple[Tensor, Tensor]:
  return (self.meta_attention(q, k, v, mask), q)

def meta_flash(self, q: Tensor, k: Tensor, v: Tensor, dropout: float, causal: bool, debug: bool,
               scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor, int, int, Tensor, Tensor, Tensor]:
  return (self.meta_attention(q, k, v), torch.to(torch.select(q, 3, 0), 6), q, q, 1, 1, q, q, q)

def meta_cudnn(self, q: Tensor, k: Tensor, v: Tensor, bias: Optional[Tensor], sums: bool, dropout: float, causal: bool, debug: bool,
               scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor, int, int, Tensor, Tensor, Tensor]:
  return self.meta_flash(q, k, v, dropout, causal, debug, scale)

def meta_efficient(self, q: Tensor, k: Tensor, v: Tensor, bias: Optional[Tensor], sums: bool, dropout: float, causal: bool,
                   scale: float) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
  return (self.meta_attention(q, k, v), torch.to(torch.select(q, 3, 0), 6), q, q)

def meta_log_sigmoid(self, x: Tensor) -> Tensor:
  return torch.sigmoid(x)

def meta_floor_divide(self, x: Tensor, divisor: int) -> Tensor:
  return x - x % divisor

def meta_abs(self, x: Tensor) -> Tensor:
  return x * 1

def meta_embedding(self, table: Tensor, index: Tensor) -> Tensor:
  return torch.index(table, annotate(List[Optional[Tensor]], [index]))

def meta_conv2d(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], stride: List[int], padding: List[int], dilation: List[int],
                groups: int) -> Tensor:
  height = x.size(2) + 2 * padding[0] - weight.size(2) + 1
  width = x.size(3) + 2 * padding[1] - weight.size(3) + 1
  if groups == 1:
    mixed = torch.matmul(weight[:, :, 0, 0], x.flatten(2))  # (B, O, L)
  else:
    mixed = weight[:, 0, 0, 0].unsqueeze(1) * x.flatten(2)
  if bias is not None:
    mixed = mixed + bias.unsqueeze(1)
  return mixed[:, :, 0:1].unsqueeze(3).expand([x.size(0), weight.size(0), height, width]).contiguous()

def meta_conv3d(self, x: Tensor, weight: Tensor, bias: Optional[Tensor], stride: List[int], padding: List[int], dilation: List[int],
                groups: int) -> Tensor:
  # of frames (1, C, T, H, W), at every position
  frames = x.size(2) - weight.size(2) + 1
  y = self.meta_conv2d(x[0].transpose(0, 1)[0:frames], weight[:, :, 0], bias, stride[1:], padding[1:], dilation[1:], groups)
  return y.transpose(0, 1).unsqueeze(0)

def meta_own_modulate(self, y: Tensor, x: Tensor, shift: Tensor, factor: Tensor, eps: float) -> bool:
  # of kernels of our own, one each, what they read and write (fused.cu)
  torch.addcmul(shift, x, factor, out=y)
  return True

def meta_own_norm_rotate(self, packed: Tensor, weights: Tensor, turns: Tensor, eps: float) -> bool:
  packed.slice(2, 0, 2).mul_(weights.unsqueeze(1))
  return True

def meta_own_add_gated(self, out: Tensor, x: Tensor, y: Tensor, gate: Tensor) -> bool:
  out.addcmul_(y, gate)  # which reads as much as x + gate·y, also where out is x
  return True
