package io.xfuser.models.internal.vae;

import io.xfuser.failure.ModelException;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.weights.ComponentWeights;
import io.xfuser.models.internal.weights.WeightMap;
import io.xfuser.models.internal.weights.Weights;
import io.xfuser.torchscript.TensorMap;
import io.xfuser.weights.ComponentConfig;
import java.util.List;

/**
 * Diffusers' AutoencoderKLFlux2: an AutoencoderKL whose latents are normalised by the statistics of
 * a batch norm. Outside of it four latents of a channel, two rows of two, are in one place.
 *
 * @param decoding the settings of the decoder
 * @param encoding those of the encoder, whose levels may be of other widths
 * @param epsilon what is added to variances
 */
record BatchNormVae(AutoencoderKlConfig decoding, AutoencoderKlConfig encoding, double epsilon)
    implements Vae {
  private static final int SIDE = 2;
  private static final List<Integer> USUAL = List.of(128, 256, 512, 512);

  /**
   * Reads a {@code config.json}; what it leaves out has diffusers' default.
   *
   * @throws ModelException naming the setting that is wrong or not supported
   */
  static BatchNormVae from(ComponentConfig config) {
    List<Integer> sides = List.of(SIDE, SIDE);
    if (!AutoencoderKlConfig.listOr(config, "patch_size", sides).equals(sides)) {
      throw new ModelException(
          "%s: patch_size %s is not supported, only %s"
              .formatted(config.origin(), config.text("patch_size"), sides));
    }
    String activation = config.getString("act_fn", "silu");
    AutoencoderKlConfig.requireOneOf(config, "act_fn", activation, List.of("silu", "swish"));
    List<Integer> widths = AutoencoderKlConfig.listOr(config, "block_out_channels", USUAL);
    return new BatchNormVae(
        half(config, AutoencoderKlConfig.listOr(config, "decoder_block_out_channels", widths)),
        half(config, widths),
        config.getDouble("batch_norm_eps", 1e-4));
  }

  private static AutoencoderKlConfig half(ComponentConfig config, List<Integer> widths) {
    if (config.has("up_block_types")) {
      AutoencoderKlConfig.refuseOtherBlocks(config, widths.size());
    }
    return new AutoencoderKlConfig(
        config.origin(),
        config.getInt("latent_channels", 32),
        config.getInt("out_channels", 3),
        widths,
        config.getInt("layers_per_block", 2),
        config.getInt("norm_num_groups", 32),
        config.has("sample_size") ? AutoencoderKlConfig.sampleSize(config) : 1024,
        1,
        0,
        config.getBoolean("use_post_quant_conv", true),
        config.getBoolean("mid_block_add_attention", true),
        false,
        List.of());
  }

  @Override
  public String origin() {
    return decoding.origin();
  }

  @Override
  public int latentChannels() {
    return decoding.latentChannels() * SIDE * SIDE;
  }

  @Override
  public int scale() {
    return decoding.scale() * SIDE;
  }

  @Override
  public VaeDecoder.Footprint footprint() {
    return decoding.footprint();
  }

  @Override
  public void check(VaeDecoder.DecodeOptions options) {
    decoding.check(options);
  }

  @Override
  public void check(ComponentWeights source) {
    decoding.check(source);
    statistics(source.promised()).close();
  }

  /** A picture's latents are the middle of their distribution. */
  @Override
  public boolean draws() {
    return false;
  }

  @Override
  public VaeDecoder.Footprint encoderFootprint() {
    return encoding.encoderFootprint();
  }

  @Override
  public void checkEncoder(ComponentConfig config, ComponentWeights source) {
    encoding.checkEncoder(config, source);
    statistics(source.promised()).close();
  }

  @Override
  public VaeEncoder encoder(ComponentConfig config, ComponentWeights source) {
    VaeEncoder plain = encoding.encoder(config, source);
    return new BatchNormEncoder(plain, statistics(source.handedOut()), epsilon);
  }

  /** There is no shift. */
  @Override
  public Vae unshifted() {
    return this;
  }

  @Override
  public VaeDecoder decoder(ComponentWeights source) {
    VaeDecoder plain = decoding.decoder(source);
    return new BatchNormDecoder(plain, statistics(source.handedOut()), epsilon);
  }

  /** Mean and variance of each of the normalised channels. */
  private TensorMap statistics(Weights weights) {
    int all = latentChannels();
    TensorMap read =
        WeightMap.of(weights, w -> w.tensor("bn.running_mean", all).tensor("bn.running_var", all));
    boolean unused = read.load(); // the file may be closed before they are used
    return read;
  }

  @Override
  public VaeDecoder framesDecoder(ComponentWeights source) {
    throw new UnsupportedOperationException(origin() + " is of no decoder of videos");
  }
}
