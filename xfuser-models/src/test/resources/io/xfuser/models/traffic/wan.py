# Wan 2.1 14B: B 1, L 32760 (81 frames of 480 × 832 pixels), T 512, C 5120, H 40, D 128, N 13824

def block(self) -> int:
  like = self.bfloat16()
  w = self.layers(like, {"attn1.to_qkv": [15360, 5120], "attn1.to_out.0": [5120, 5120], "attn2.to_q": [5120, 5120],
                         "attn2.to_out.0": [5120, 5120], "ffn.net.0.proj": [13824, 5120], "ffn.net.2": [5120, 13824]})
  w["norm2.weight"], w["norm2.bias"] = self.exact(like, [5120]), self.exact(like, [5120])
  w["attn1.norm_qk.weight"], w["attn2.norm_q.weight"] = self.of(like, [2, 5120]), self.of(like, [1, 5120])
  x, m, kv = self.of(like, [1, 32760, 5120]), self.exact(like, [6, 1, 1, 5120]), self.of(like, [1, 512, 2, 40, 128])
  packed = self.project(x, m, 0, w, 128, 1e-6)
  packed = self.normed(packed, self.squares(packed, w, 0), w, 0, 5120, 1e-6, [self.exact(like, [32760, 64, 2])])
  x = self.after_attention(x, self.attended_heads(packed), m, 0, w, [0, 1, 1])
  q = self.text_queries(x, w, 128, 1e-6)
  q = self.normed(q, self.squares(q, w, 1), w, 1, 5120, 1e-6, annotate(List[Tensor], []))
  return self.after_text(x, q, kv, 0, m, 0, w, 1e-6, [0, 2, 1]).dim()
