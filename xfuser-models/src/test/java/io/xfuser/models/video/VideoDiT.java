package io.xfuser.models.video;

import io.xfuser.models.internal.parts.ModulatedHead;
import io.xfuser.models.internal.parts.TokenEmbedding;
import io.xfuser.models.internal.weights.Inner;
import io.xfuser.models.internal.weights.Joined;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.nn.Patchify;
import io.xfuser.torchscript.Program;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Share;

/**
 * A transformer with random weights whose tokens are blocks of two frames, which all attend one
 * another and a text without its padding.
 */
record VideoDiT(Weights weights) implements TransformerSpec<VideoConditioning> {
  static final Program PROGRAM = Program.load(VideoDiT.class, "/io/xfuser/models/video/video.py");

  static final Patchify PATCH = new Patchify(2, 2);
  static final int CHANNELS = 4;
  static final int HEAD_SIZE = 8;
  static final int WIDTH = 48;

  private static final int TEXT_WIDTH = 32;
  private static final int SINUSOIDS = 256;

  @Override
  public int depth() {
    return 5;
  }

  @Override
  public int heads() {
    return WIDTH / HEAD_SIZE;
  }

  @Override
  public int headSize() {
    return HEAD_SIZE;
  }

  @Override
  public Block<VideoConditioning> block(int index, Share share) {
    Inner heads = Inner.heads(heads(), HEAD_SIZE);
    Inner neurons = Inner.neurons(2 * WIDTH);
    return new VideoBlock(
        WeightMap.of(
            weights.at("blocks." + index + "."),
            share,
            w ->
                w.inward(Joined.queriesKeysValues("attn"), heads, WIDTH)
                    .outward("attn.to_out", WIDTH, heads)
                    .inward("mlp_in", neurons, WIDTH)
                    .outward("mlp_out", WIDTH, neurons)));
  }

  @Override
  public Embedding<VideoConditioning> embedding() {
    return new TokenEmbedding<>(
        WeightMap.of(weights, w -> w.linear("pos_embed.proj", WIDTH, token())),
        VideoConditioning::positions);
  }

  @Override
  public Head<VideoConditioning> head() {
    return new ModulatedHead<>(
        WeightMap.of(
            weights,
            w -> w.linear("norm_out.linear", 2L * WIDTH, WIDTH).linear("proj_out", token(), WIDTH)),
        VideoConditioning::time);
  }

  @Override
  public Conditioner<VideoConditioning> conditioner() {
    return new VideoConditioning.Maker(
        WeightMap.of(
            weights, w -> w.linear("text", WIDTH, TEXT_WIDTH).mlp("time", WIDTH, SINUSOIDS)),
        WIDTH);
  }

  private static long token() {
    return (long) PATCH.size() * CHANNELS;
  }
}
