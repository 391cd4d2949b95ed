# after: text/encoder
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, T 5, C 8, H 2, F 32, P 4
  w = self.layers(like, {"self_attn.q_proj": [8, 8], "self_attn.k_proj": [8, 8], "self_attn.v_proj": [8, 8],
                         "self_attn.out_proj": [8, 8], "mlp.fc1": [32, 8], "mlp.fc2": [8, 32], "layer_norm1": [8],
                         "layer_norm2": [8], "text_model.final_layer_norm": [8]})
  w["text_projection.weight"] = self.of(like, [4, 8])
  w["text_model.embeddings.token_embedding.weight"] = self.of(like, [9, 8])
  w["text_model.embeddings.position_embedding.weight"] = self.of(like, [7, 8])
  ids = torch.to(self.of(like, [2, 5]), 4)
  x = self.embed(ids, w)
  out = [x, self.clip_layer(x, w, self.causal_bias(x), 2, "quick_gelu", 1e-6), self.projected(self.of(like, [2, 8]), w)]
  return out + [self.pooled(x, ids, w, 1e-6, 2), self.pooled(x, ids, w, 1e-6, 1)]
