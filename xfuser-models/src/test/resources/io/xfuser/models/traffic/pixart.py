# PixArt-Σ: B 2, L 4096 (1024 × 1024 pixels), T 300, C 1152, H 16, D 72

def block(self) -> int:
  like = self.bfloat16()
  w = self.layers(like, {"attn1.to_qkv": [3456, 1152], "attn1.to_out.0": [1152, 1152], "attn2.to_q": [1152, 1152],
                         "attn2.to_out.0": [1152, 1152], "ff.net.0.proj": [4608, 1152], "ff.net.2": [1152, 4608]})
  w["scale_shift_table"] = self.of(like, [6, 1152])
  m = self.modulation(self.of(like, [1, 6912]), w)
  x, text = self.of(like, [2, 4096, 1152]), self.of(like, [2, 300, 2, 16, 72])
  attended = self.attended_heads(self.before_attention(x, m, w, 72, 1e-6))
  masks = [self.of(like, [2, 1, 1, 300])]
  return self.after_attention(x, attended, m, text, masks, w, 1e-6, [0, 3, 1]).dim()
