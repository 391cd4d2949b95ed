# HunyuanDiT 1.2: B 2, L 4096 (1024 × 1024 pixels), T 333, C 1408, H 16, D 88, M 6144

def block(self) -> int:
  return self.of_half(False)

def skip_block(self) -> int:
  # of the second half, which joins the output of one of the first
  return self.of_half(True)

def of_half(self, second: bool) -> int:
  like = self.bfloat16()
  w = self.layers(like, {"norm1.linear": [1408, 1408], "attn1.to_qkv": [4224, 1408], "attn1.to_out.0": [1408, 1408],
                         "attn2.to_q": [1408, 1408], "attn2.to_out.0": [1408, 1408], "ff.net.0.proj": [6144, 1408],
                         "ff.net.2": [1408, 6144], "skip_linear": [1408, 2816]})
  for norm, width in {"norm1.norm": 1408, "norm2": 1408, "norm3": 1408, "skip_norm": 2816, "attn2.norm_q": 88}.items():
    w[norm + ".weight"], w[norm + ".bias"] = self.of(like, [width]), self.of(like, [width])
  ff, out = [w["ff.net.0.proj.weight"], w["ff.net.0.proj.bias"]], [w["ff.net.2.weight"], w.pop("ff.net.2.bias")]
  w["ff.net.0.proj.weight"], w["ff.net.0.proj.bias"], w["ff.net.2.weight"] = self.bias_as_neuron(ff, out)
  w["attn1.norm_qk.weight"], w["attn1.norm_qk.bias"] = self.of(like, [2, 88]), self.of(like, [2, 88])
  x, m, rotation = self.of(like, [2, 4096, 1408]), self.modulation(self.of(like, [2, 1408]), w), self.exact(like, [4096, 44, 2])
  text = self.of(like, [2, 333, 2, 16, 88])
  if second:
    x = self.join_skip(x, self.of(like, [2, 4096, 1408]), w)
  attended = self.attended_heads(self.norm_turn_(self.before_attention(x, m, w, 88), rotation, w))
  return self.after_attention(x, attended, text, rotation, w, [0, 3, 1]).dim()
