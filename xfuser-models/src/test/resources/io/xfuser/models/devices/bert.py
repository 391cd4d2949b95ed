# after: text/encoder
def calls(self, like: Tensor) -> List[Tensor]:
  # B 2, T 5, C 8, H 2, F 32
  w = self.layers(like, {"attention.self.query": [8, 8], "attention.self.key": [8, 8], "attention.self.value": [8, 8],
                         "attention.output.dense": [8, 8], "intermediate.dense": [32, 8], "output.dense": [8, 32],
                         "attention.output.LayerNorm": [8], "output.LayerNorm": [8], "LayerNorm": [8]})
  w["word_embeddings.weight"] = self.of(like, [9, 8])
  w["token_type_embeddings.weight"] = self.of(like, [2, 8])
  w["position_embeddings.weight"] = self.of(like, [7, 8])
  ids = torch.to(self.of(like, [2, 5]), 4)
  x = self.embed(ids, w, 1e-6)
  return [x, self.bert_layer(x, w, self.padding_bias(ids, 6), 2, "gelu", 1e-6)]
