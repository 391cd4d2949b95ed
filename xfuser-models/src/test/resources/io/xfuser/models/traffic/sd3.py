# Stable Diffusion 3 medium, and 3.5 medium's blocks with a second attention and norms: B 2, L 4096 (1024 × 1024 pixels), T 333, C 1536,
# H 24, D 64

def block(self) -> int:
  return self.of_attentions(1)

def dual_block(self) -> int:
  return self.of_attentions(2)

def of_attentions(self, count: int) -> int:
  like = self.bfloat16()
  w = self.layers(like, {"attn.to_qkv": [4608, 1536], "attn.to_added_qkv": [4608, 1536], "attn.to_out.0": [1536, 1536],
                         "attn.to_add_out": [1536, 1536], "ff.net.0.proj": [6144, 1536], "ff.net.2": [1536, 6144],
                         "ff_context.net.0.proj": [6144, 1536], "ff_context.net.2": [1536, 6144]})
  others = annotate(List[Tensor], [])
  x, text, m = self.of(like, [2, 4096, 1536]), self.of(like, [2, 333, 1536]), self.of(like, [9 + 3 * count, 2, 1, 1536])
  if count == 2:
    w.update(self.layers(like, {"attn2.to_qkv": [4608, 1536], "attn2.to_out.0": [1536, 1536]}))
    w = self.norms(like, ["attn.norm_qk", "attn.norm_added_qk", "attn2.norm_qk"], 64, w)
    others = [self.attended_heads(self.norm_heads_(self.before_second(x, m, w, 64), w, "attn2.norm_qk"))]
  attended = self.attended_heads(self.rest_joint(self.before_joint([x, text], m, w, 64), [x, text], m, w))
  image = self.after_attention(x, attended, others, m, w, [0, 1 + count, 1])
  return self.text_after_attention(text, attended, m, w, [0, 2, 1]).dim() + image.dim()
