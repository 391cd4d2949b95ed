# after: text/encoder
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, T 5, D 8, H 2, K 4, F 16, V 9
  x, ids = self.of(like, [2, 5, 8]), torch.to(self.of(like, [2, 5]), 4)
  relu = self.layers(like, {"layer.0.SelfAttention.q": [8, 8], "layer.0.SelfAttention.k": [8, 8],
                            "layer.0.SelfAttention.v": [8, 8], "layer.0.SelfAttention.o": [8, 8],
                            "layer.1.DenseReluDense.wi": [16, 8], "layer.1.DenseReluDense.wo": [8, 16],
                            "layer.0.layer_norm": [8], "layer.1.layer_norm": [8], "encoder.final_layer_norm": [8]})
  gated = relu.copy()
  gated.update(self.layers(like, {"layer.1.DenseReluDense.wi_0": [16, 8], "layer.1.DenseReluDense.wi_1": [16, 8]}))
  relu["shared.weight"] = self.of(like, [9, 8])
  relu["layer.0.SelfAttention.relative_attention_bias.weight"] = self.of(like, [32, 2])
  bias = self.position_bias(relu, ids, 32, 128)
  out = [bias, self.embed(ids, relu), self.embed_some(ids, relu, 3), self.last_norm(x, relu, 1e-6)]
  out = out + [self.block(x, gated, bias, 4, 1e-6, 2, [0, 2, 1])]
  return out + [self.block(x, gated, bias, 4, 1e-6, 1, [0, 2, 1]), self.block(x, relu, bias, 4, 1e-6, 1, [1, 2, 0])]
