package io.xfuser.examples;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A trained model: serial equals diffusers, and two PipeFusion stages make the same thing. */
class DemoModelTest {
  private static final Path MODEL = Path.of("demo-model");
  private static final Path REFERENCE =
      Path.of("src/test/resources/fixtures/demo/pictures.safetensors");

  private static final InputConfig INPUT = // as scripts/fixtures/demo_reference.py calls diffusers
      InputConfig.builder("a fox", "a rocket on a blue background")
          .numInferenceSteps(8) // guidance and binning are those of its own xfuser.json
          .outputType(OutputType.PT)
          .build();

  @Test
  void serialEqualsDiffusers() {
    assertThat(differenceFromDiffusers(ParallelConfig.serial())).isLessThanOrEqualTo(1e-3);
  }

  @Tag("complete") // as it is with other PixArt models
  @Test
  void cfgParallelismEqualsDiffusers() {
    assertThat(differenceFromDiffusers(ParallelConfig.builder().cfgDegree(2).build()))
        .isLessThanOrEqualTo(1e-3);
  }

  @Tag("complete")
  @Test
  void ulyssesAndCfgParallelismEqualDiffusers() {
    assertThat(
            differenceFromDiffusers(ParallelConfig.builder().ulyssesDegree(2).cfgDegree(2).build()))
        .isLessThanOrEqualTo(1e-3);
  }

  /** 47.6 dB. */
  @Test
  void weightsOf8BitsDrawAlmostTheSamePictures() {
    ModelConfig all = ModelConfig.builder(MODEL).quantize(ElementType.INT8).build();
    assertThat(fromDiffusers(EngineConfig.builder(all).build(), Pixels::psnr)).isGreaterThan(46.5);
  }

  /** 52.9 dB. */
  @Tag("complete")
  @Test
  void aTextEncoderOf8BitsDrawsPicturesThatAreNearerStill() {
    ModelConfig text = ModelConfig.builder(MODEL).quantizeTextEncoder(ElementType.INT8).build();
    assertThat(fromDiffusers(EngineConfig.builder(text).build(), Pixels::psnr)).isGreaterThan(51.5);
  }

  @Test
  void filesHaveTheDigestsOfTheirList() throws IOException, NoSuchAlgorithmException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(MODEL)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.endsWith("SHA256SUMS")) {
          byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
          found.add(HexFormat.of().formatHex(digest) + "  " + MODEL.relativize(file));
        }
      }
    }
    assertThat(found)
        .containsExactlyInAnyOrderElementsOf(Files.readAllLines(MODEL.resolve("SHA256SUMS")));
  }

  private static double differenceFromDiffusers(ParallelConfig degrees) {
    EngineConfig engine = EngineConfig.builder(MODEL).parallel(degrees).build();
    return fromDiffusers(engine, Pixels::largestDifference);
  }

  private static double fromDiffusers(
      EngineConfig engine, ToDoubleBiFunction<NDArray, NDArray> distance) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(INPUT);
        NDManager manager = Torch.newManager();
        FileWeights reference = FileWeights.openFile(REFERENCE, null)) {
      NDArray theirs = reference.get(manager, "pixels", reference.shape("pixels"));
      return distance.applyAsDouble(generation.tensor(), theirs);
    }
  }
}
