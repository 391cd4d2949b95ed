# after: joint/stream joint/rotary joint/blocks
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 16, H 1 of 2, D 8, N 32 of 64, n 2, W 9
  w = self.layers(like, {"attn.to_out.0": [16, 8], "attn.to_add_out": [16, 8], "ff.net.0.proj": [32, 16], "ff.net.2": [16, 32],
                         "ff_context.net.0.proj": [32, 16], "ff_context.net.2": [16, 32], "image_proj.0": [36, 5], "image_norm.0": [9],
                         "image_proj.1": [18, 5], "image_norm.1": [9], "to_kv_ip.0": [16, 9], "to_kv_ip.1": [16, 9]})
  w["attn.norm_qk.weight"] = self.of(like, [2, 8])
  embeds = self.of(like, [2, 2, 5])
  tokens = [self.shown_tokens(embeds, w, 0, 9), self.shown_tokens(embeds, w, 1, 9)]
  kv = self.shown_keys_values(tokens, w, 8)
  shown = self.attend_shown(self.of(like, [2, 11, 3, 1, 8]), 5, kv, [8, 4], [0.5, 1.], w)
  streams, m = [self.of(like, [2, 6, 16]), self.of(like, [2, 5, 16])], self.of(like, [12, 2, 1, 16])
  out = self.double_after_shown(streams, self.of(like, [2, 11, 1, 8]), shown, 8, m, w, [0, 2, 1])
  return tokens + [kv, shown] + out
