package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.Picture;
import io.xfuser.failure.ArgumentException;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.GivenTensors.Seen;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.progress.ProgressListener;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tensors in the place of those of encoders of pictures, as scripts/fixtures/given_reference.py.
 */
class GivenPicturesTest {
  private static final Path FILE =
      DiffusersCall.FIXTURES.resolve("reference/given/tensors.safetensors");
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  private final NDManager manager = Torch.newManager();

  @TempDir Path scratch;

  @AfterEach
  void close() {
    manager.close();
  }

  /** One rank and, with the profile {@code complete}, one and another hybrid. */
  static Stream<ParallelConfig> layouts(int some) {
    List<ParallelConfig> hybrids =
        List.of(
            SERIAL.toBuilder().ulyssesDegree(2).dataDegree(2).build(),
            SERIAL.toBuilder().tensorDegree(2).ringDegree(2).build());
    return Stream.concat(Stream.of(SERIAL), CoveringArray.part(hybrids, some, 2).stream());
  }

  static Stream<Arguments> masked() {
    return Stream.of("fill", "fill_several")
        .flatMap(name -> layouts(0).map(layout -> Arguments.of(name, layout)))
        .filter(one -> !one.get()[0].equals("fill") || one.get()[1] == SERIAL);
  }

  @ParameterizedTest
  @MethodSource("masked")
  void maskedImageLatentsAreWhatFillSees(String name, ParallelConfig layout) throws IOException {
    SourceCall call = SourceCall.named(name);
    NDArray drawn =
        drawn(
            EngineConfig.builder(call.directory(scratch)).parallel(layout).build(),
            call.input(),
            new Seen(tensor(name + ".given"), null));
    assertEqual(drawn, name);
  }

  static Stream<Arguments> seen() {
    return layouts(1)
        .map(layout -> Arguments.of("wan_i2v_tiny", layout))
        .flatMap(
            one ->
                one.get()[1] == SERIAL
                    ? Stream.of(one, Arguments.of("wan_flf_tiny", SERIAL))
                    : Stream.of(one));
  }

  @ParameterizedTest
  @MethodSource("seen")
  void imageEmbedsAreWhatWanSees(String name, ParallelConfig layout) {
    NDArray drawn = drawn(wan(name, layout), frames(name), new Seen(null, tensor(name + ".given")));
    assertEqual(drawn, name);
  }

  @Test
  void tensorsThatNothingSeesOrThatDoNotFitAreRefused() throws IOException {
    SourceCall fill = SourceCall.named("fill");
    EngineConfig filling = EngineConfig.builder(fill.directory(scratch)).build();
    refused(
        filling,
        fill.input(),
        new Seen(manager.zeros(new Shape(1, 15, 64)), null),
        "masked_image_latents have the shape (1, 15, 64), but must have (1, 15, 320)");
    SourceCall inpaint = SourceCall.named("sd3_inpaint");
    refused(
        EngineConfig.builder(inpaint.directory(scratch)).build(),
        inpaint.input(),
        new Seen(manager.zeros(new Shape(1, 15, 64)), null),
        "masked_image_latents are for a transformer that sees a masked picture");
    refused(
        filling,
        fill.input(),
        new Seen(null, manager.zeros(new Shape(1, 10, 32))),
        "image_embeds are what an encoder makes of pictures");
    EngineConfig one = wan("wan_i2v_tiny", SERIAL);
    refused(
        one,
        frames("wan_i2v_tiny"),
        new Seen(null, manager.zeros(new Shape(2, 10, 32))),
        "image_embeds have the shape (2, 10, 32), but must have (1, states, width)");
    refused(
        one,
        frames("wan_i2v_tiny"),
        new Seen(null, manager.zeros(new Shape(1, 10, 31))),
        "image_embeds have 10 states of width 31, but the transformer has image_dim 32");
  }

  private static EngineConfig wan(String name, ParallelConfig layout) {
    return EngineConfig.builder(DiffusersCall.FIXTURES.resolve(name)).parallel(layout).build();
  }

  private static InputConfig frames(String name) {
    Path pictures = DiffusersCall.FIXTURES.resolve("reference").resolve(name);
    boolean two = name.equals("wan_flf_tiny");
    String fox = "A red fox in the snow, oil painting";
    String[] prompts = two ? new String[] {fox} : new String[] {fox, "two blue boats on a lake"};
    InputConfigBuilder builder = InputConfig.builder(prompts);
    if (two) {
      builder.set(InputConfig.LAST_IMAGE, Picture.of(pictures.resolve("tower.png")));
    }
    return builder
        .image(Picture.of(pictures.resolve("hills.png")))
        .height(32)
        .width(48)
        .numFrames(5)
        .numInferenceSteps(3)
        .guidanceScale(4.0)
        .maxSequenceLength(512)
        .outputType(OutputType.PT)
        .seed(42)
        .build();
  }

  private NDArray drawn(EngineConfig engine, InputConfig input, Seen seen) {
    GivenTensors given = GivenTensors.NONE.with(seen);
    try (XDiTParallel pipeline = XDiTParallel.inProcess(engine);
        Generation drawn = pipeline.generate(input, given, ProgressListener.NONE)) {
      return Torch.alias(manager, drawn.tensor());
    }
  }

  private void assertEqual(NDArray drawn, String name) {
    NDArray strided = drawn.get("..., ::2, ::2");
    assertThat(Pixels.largestDifference(strided, tensor(name + ".pixels")))
        .isLessThanOrEqualTo(1e-3);
  }

  private void refused(EngineConfig engine, InputConfig input, Seen seen, String sentence) {
    assertThatThrownBy(() -> drawn(engine, input, seen))
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining(sentence);
  }

  private NDArray tensor(String name) {
    try (FileWeights all = FileWeights.openFile(FILE, null)) {
      return all.get(manager, name, all.shape(name));
    }
  }
}
