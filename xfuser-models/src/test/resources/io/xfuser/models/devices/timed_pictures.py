# after:
# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, N 5, I 6, R 8, Q 3, L 4, T 2, C 8, H 2, D 4; the resampler has one layer of 2 heads, the block two attentions
  w = self.layers(like, {"image_proj.proj_in": [8, 6], "image_proj.proj_out": [8, 8], "image_proj.norm_out": [8],
                         "image_proj.time_embedding.linear_1": [8, 10], "image_proj.time_embedding.linear_2": [8, 8],
                         "resampler.adaln_proj.0": [32, 8], "resampler.ln0.0": [8], "resampler.ln1.0": [8],
                         "resampler.adaln_norm.0": [8], "resampler.to_q.0": [8, 8], "resampler.to_kv.0": [16, 8],
                         "resampler.to_out.0": [8, 8], "resampler.ff_in.0": [32, 8], "resampler.ff_out.0": [8, 32],
                         "norm_ip.0": [16, 8], "to_kv_ip.0": [16, 8]})
  w["image_proj.latents"] = self.of(like, [1, 3, 8])
  for norm in ["norm_qk.0", "norm_ip_k.0", "norm_qk.1", "norm_ip_k.1"]:
    w[norm + ".weight"] = self.of(like, [2, 4])
  one = w.copy()
  w.update(self.layers(like, {"norm_ip.1": [16, 8], "to_kv_ip.1": [16, 8]}))
  features = self.shown_features(self.of(like, [2, 5, 6]), w)
  time = self.shown_time(3., features, 10, w)
  tokens = self.shown_tokens([features, features], time, w, 2, 1)
  out = [features, time, tokens, self.numbered_norm(features, w, "resampler.ln0.0"), self.shown_modulations(time, one)]
  m = self.shown_modulations(time, w)
  packed = self.of(like, [2, 6, 3, 2, 4])
  for number in range(2):
    for shown in [[tokens], annotate(List[Tensor], [])]:
      out.append(self.before_shown(packed, 2, shown, m, w, number))
  attended = self.of(like, [2, 6, 2, 4])
  out.append(self.add_shown(attended, self.of(like, [2, 10, 2, 4]), 4, 0.5))
  return out + [m, self.add_shown(attended, self.of(like, [2, 6, 2, 4]), 6, 0.5)]
