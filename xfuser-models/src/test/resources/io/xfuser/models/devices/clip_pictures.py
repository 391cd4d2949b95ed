# after: text/encoder text/clip
def calls(self, like: Tensor) -> List[Tensor]:
  # 2 by 3 patches of 2 by 2 pixels and some left over; C 8, H 2, F 12
  w = self.layers(like, {"self_attn.q_proj": [8, 8], "self_attn.k_proj": [8, 8], "self_attn.v_proj": [8, 8],
                         "self_attn.out_proj": [8, 8], "mlp.fc1": [12, 8], "mlp.fc2": [8, 12], "layer_norm1": [8],
                         "layer_norm2": [8], "pre_layrnorm": [8], "post_layernorm": [8], "visual_projection": [5, 8]})
  w["embeddings.patch_embedding.weight"] = self.as_matrix(self.of(like, [8, 3, 2, 2]))
  w["embeddings.class_embedding"], w["embeddings.position_embedding.weight"] = self.of(like, [8]), self.of(like, [7, 8])
  pixels = torch.zeros([5, 7, 3], dtype=0, device=like.device)
  patches = self.patches(pixels, 2, 0.1, [0.5, 0.5, 0.5], [1., 1., 1.], like.dtype)
  x = self.embed_patches(patches, w, 1e-5)
  layers = [self.picture_layer(x, w, 2, kind, 1e-5) for kind in ["gelu", "gelu_pytorch_tanh"]]
  w["embeddings.position_embedding.weight"] = self.of(like, [6, 8])
  placed = [self.embed_placed_patches(patches, w, 1e-5), self.no_states(w)]
  return [patches, x, self.seen(x, w, 1e-5)] + layers + placed
