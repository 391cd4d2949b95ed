package io.xfuser.models.internal.pixart;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.attention.LocalAttention;
import io.xfuser.models.internal.adaln.AdaLn;
import io.xfuser.models.internal.adaln.AdaLnConditioning;
import io.xfuser.models.internal.adaln.AdaLnConfig;
import io.xfuser.models.internal.text.Captions;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.nn.Patchify;
import io.xfuser.nn.Sequence;
import io.xfuser.nn.TokenLayout.PatchSpan;
import io.xfuser.nn.TokenRange;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.Block;
import io.xfuser.transformer.BlockContext;
import io.xfuser.transformer.ConditionInput;
import io.xfuser.transformer.Conditioner;
import io.xfuser.transformer.Embedding;
import io.xfuser.transformer.Head;
import io.xfuser.transformer.Hidden;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Share;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The transformer, part by part, on the tensors that diffusers gave its own: the first call of a
 * run.
 */
class PixArtTransformerTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
  private static final double RELATIVE = 1e-4;

  private static final int HEIGHT = 112;
  private static final int WIDTH = 144;

  @BeforeEach
  void prepare() {
    Torch.prepareThread(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pixart_alpha_tiny", "pixart_sigma_tiny"})
  void everyPartEqualsDiffusers(String name) {
    Path reference = FIXTURES.resolve("reference").resolve(name).resolve("odd_tokens.safetensors");
    Path directory = FIXTURES.resolve(name).resolve("transformer");
    AdaLnConfig config = PixArt.config(ComponentConfig.read(directory.resolve("config.json")));
    try (NDManager manager = Torch.newManager();
        FileWeights theirs = FileWeights.openFile(reference, null);
        FileWeights weights =
            FileWeights.open(directory, "diffusion_pytorch_model", ElementType.FLOAT32);
        Conditioner<AdaLnConditioning> conditioner = new AdaLn(config, weights).conditioner();
        Embedding<AdaLnConditioning> embedding = new AdaLn(config, weights).embedding();
        Head<AdaLnConditioning> head = new AdaLn(config, weights).head()) {
      Sequence sequence = new Sequence(new Sequence.Axes(1, HEIGHT / 16, WIDTH / 16));
      Reference expected = new Reference(manager, theirs);
      AdaLnConditioning c =
          conditioner.at(
              manager,
              conditioner.begin(manager, condition(expected, sequence)),
              (double) expected.get("transformer.timestep").toLongArray()[0]);
      expected.checkWhereKept("transformer.modulation", c.modulation());

      TokenRange all = new TokenRange(0, sequence.tokens());
      NDArray latents = expected.get("transformer.hidden_states"); // (2, 4, 14, 18)
      Patchify patchify = new Patchify(config.patch().size());
      Hidden x =
          new Hidden(
              embedding.embed(manager, patchify.tokens(manager, latents), all, c),
              new Hidden.Place(all, new PatchSpan(0, 1)));
      expected.checkWhereKept("transformer.tokens", x.image());
      for (int i = 0; i < config.layers(); i++) {
        try (Block<AdaLnConditioning> block = new AdaLn(config, weights).block(i, Share.WHOLE)) {
          x = block.forward(manager, x, c, BlockContext.none(List.of(new LocalAttention())));
        }
        expected.checkWhereKept("transformer.block." + i, x.image());
      }
      NDArray prediction = // (2, 4, 14, 18)
          patchify.latents(manager, head.predict(manager, x, c), HEIGHT / 8, WIDTH / 8);
      NDArray output = expected.get("transformer.output"); // (2, 8, 14, 18), variances behind
      expected.check(Torch.slice(manager, output, 1, 0, config.patch().channels()), prediction);
    }
  }

  private static ConditionInput condition(Reference expected, Sequence sequence) {
    return new ConditionInput(
        Map.of(
            Captions.EMBEDS, expected.both("negative_embeds", "prompt_embeds"),
            Captions.MASK, expected.both("negative_mask", "prompt_mask")),
        new ConditionInput.Picture(HEIGHT, WIDTH, 1, sequence, 0),
        LongStream.range(0, sequence.tokens()).boxed().toList(),
        List.of());
  }

  /** What diffusers computed. */
  private record Reference(NDManager manager, FileWeights file) {
    NDArray get(String name) {
      return file.get(manager, name, file.shape(name));
    }

    NDArray both(String negative, String positive) {
      return Torch.concat(manager, List.of(get(negative), get(positive)), 0);
    }

    /** The references of α are kept small: inputs and output only. */
    void checkWhereKept(String name, NDArray ours) {
      if (file.has(name)) {
        check(get(name), ours);
      }
    }

    void check(NDArray theirs, NDArray ours) {
      float[] expected = Pixels.floats(theirs);
      float[] actual = Pixels.floats(ours);
      // all rows of the batch share the timestep, so ours has one where diffusers repeats it
      assertThat(expected.length % actual.length).isZero();
      double largest = 0;
      double difference = 0;
      for (int i = 0; i < expected.length; i++) {
        largest = Math.max(largest, Math.abs(expected[i]));
        difference = Math.max(difference, Math.abs(expected[i] - actual[i % actual.length]));
      }
      assertThat(difference).isLessThanOrEqualTo(RELATIVE * largest);
    }
  }
}
