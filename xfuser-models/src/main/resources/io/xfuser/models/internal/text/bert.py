# The embedding of BERT, as in transformers' modeling_bert.py. B batch, T tokens, C width.

def embedded(self, x: Tensor, types: Tensor, positions: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
  # tokens (B, T, C), types (2, C), of which all tokens have the first, positions (P, C) -> (B, T, C)
  return self.normal(self.at_positions(x + types[0], positions), weight, bias, eps)
