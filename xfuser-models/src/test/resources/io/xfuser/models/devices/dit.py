# elsewhere: yes
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, L 6, C 8, H 2, D 4, M 32
  w = self.layers(like, {"norm1.linear": [48, 8], "attn1.to_qkv": [24, 8], "attn1.to_out.0": [8, 8], "ff.net.0.proj": [32, 8],
                         "ff.net.2": [8, 32], "proj_out_1": [16, 8], "proj_out_2": [4, 8]})
  for embedder in ["norm1.emb", "transformer_blocks.0.norm1.emb"]:
    time = embedder + ".timestep_embedder"
    w.update(self.layers(like, {time + ".linear_1": [8, 256], time + ".linear_2": [8, 8]}))
    w[embedder + ".class_embedder.embedding_table.weight"] = self.of(like, [5, 8])
  x, labels = self.of(like, [2, 6, 8]), self.places(like, 2)
  both = torch.cat([self.times(3., labels), self.times(2., labels)])
  m = self.modulation(both, labels, w).slice(1, 0, 2)
  out = [both, m, self.modulated(x, m, 1e-6), self.before_attention(x, m, w, 4, 1e-6)]
  out.append(self.after_attention(x, self.of(like, [2, 6, 2, 4]), m, w, 1e-6, [0, 2, 1]))
  return out + [self.predict(x, self.head_modulation(both, labels, w).slice(1, 2, 4), w, 1e-6)]
