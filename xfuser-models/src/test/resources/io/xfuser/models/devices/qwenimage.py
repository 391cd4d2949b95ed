# after: joint/stream
# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, T 5, C 16, H 2, D 8, N 64
  w = self.layers(like, {"img_mod.1": [96, 16], "txt_mod.1": [96, 16], "attn.to_qkv": [48, 16], "attn.to_added_qkv": [48, 16],
                         "attn.to_out.0": [16, 16], "attn.to_add_out": [16, 16], "img_mlp.net.0.proj": [64, 16],
                         "img_mlp.net.2": [16, 64], "txt_mlp.net.0.proj": [64, 16], "txt_mlp.net.2": [16, 64]})
  for norm in ["attn.norm_qk", "attn.norm_added_qk"]:
    w[norm + ".weight"] = self.of(like, [2, 8])
  c = self.layers(like, {"img_in": [16, 4], "txt_in": [16, 9], "time_text_embed.timestep_embedder.linear_1": [16, 256],
                         "time_text_embed.timestep_embedder.linear_2": [16, 16]})
  c["txt_norm.weight"] = self.of(like, [9])
  t, x = self.condition(500., like, c), self.embed(self.of(like, [2, 6, 4]), c)
  text = self.embed_text(self.of(like, [2, 5, 9]), c)
  at = torch.zeros([6, 4], dtype=4, device=like.device)
  rotation = [self.image_rotation(at, [1, 2], [2, 2, 4]), self.text_rotation(text, 2, [2, 2, 4])]
  m = self.modulation(t, w)
  out = [t, x, text, m] + rotation
  both, later = self.conditions(500., like, c), self.later_segment(at)
  out = out + [both, later, self.first_row(both)]
  for own in [self.by_token(m, annotate(List[Tensor], [])), self.by_token(self.modulation(both, w), [later])]:
    for streams in [[x], [x, text]]:
      packed = self.rest(self.before(streams, own, w, 8), streams, own, rotation, w)
      out = out + [packed] + own + self.after(streams, packed[:, :, 0], own, w, [0, 2, 1])
  mask = torch.ones([2, 7], dtype=4, device=like.device)
  return out + [self.without_template(self.of(like, [2, 7, 9]), mask, 3, 5)]
