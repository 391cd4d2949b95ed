# Pictures that are prompts (arXiv 2308.06721), as diffusers' FluxIPAdapterAttnProcessor: image tokens of a block of two streams
# attend what a few adapters make of pictures, beside what else they attend. Names as in stream.py; n pictures, S tokens of
# pictures of all adapters, W width of text. Of adapter number i there are image_proj.i, image_norm.i and, in a block, to_kv_ip.i.

def shown_tokens(self, embeds: Tensor, w: Dict[str, Tensor], number: int, width: int) -> Tensor:
  # what n pictures are seen as, (B, n, D) -> several tokens of each (B, n·m, W)
  x = self.linear(embeds, w, "image_proj." + str(number)).unflatten(2, [-1, width]).flatten(1, 2)
  weight = w["image_norm." + str(number) + ".weight"].reshape([-1])
  return torch.layer_norm(x, [width], weight, w["image_norm." + str(number) + ".bias"].reshape([-1]), 1e-5)

def shown_keys_values(self, tokens: List[Tensor], w: Dict[str, Tensor], head: int) -> Tensor:
  # the tokens of each adapter, (B, s, W) -> (B, S, 2, H, D)
  out = [self.linear(tokens[i], w, "to_kv_ip." + str(i)).unflatten(2, [2, -1, head]) for i in range(len(tokens))]
  return torch.cat(out, 1)

def attend_shown(self, packed: Tensor, text: int, kv: Tensor, tokens: List[int], scales: List[float],
                 w: Dict[str, Tensor]) -> Tensor:
  # packed (B, text + L, 3, H, D) as start_packed leaves it, kv (B, S, 2, H, D), of which each adapter has so many tokens and a
  # scale -> (B, L, H, D)
  q = packed.slice(1, text, packed.size(1)).select(2, 0)
  weight = torch.to(w["attn.norm_qk.weight"][0], 6)
  q = torch.to(torch.to(q, 6) * self.per_length(torch.to(q, 6), 1e-6) * weight, q.dtype).transpose(1, 2)
  out = torch.empty([0], dtype=q.dtype, device=q.device)
  first = 0
  for i in range(len(tokens)):
    own = kv.slice(1, first, first + tokens[i])
    y = self.attend(q, own.select(2, 0).transpose(1, 2), own.select(2, 1).transpose(1, 2)) * scales[i]
    out = y if i == 0 else out + y
    first += tokens[i]
  return out

def double_after_shown(self, x: List[Tensor], attended: Tensor, shown: Tensor, before: int, m: Tensor, w: Dict[str, Tensor],
                       terms: List[int]) -> List[Tensor]:
  # double_after, and in its last term shown (B, L, H, D) in the place of its heads, of which so many columns come before
  out = self.double_after(x, attended, m, w, terms)
  if self.adds(terms, 1):
    y = shown.flatten(2)
    after = x[0].size(2) - before - y.size(2)
    out[0] = out[0] + torch.constant_pad_nd(y, [before, after])
  return out
