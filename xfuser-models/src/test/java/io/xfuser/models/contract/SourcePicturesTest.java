package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.OutputType;
import io.xfuser.config.ParallelConfig;
import io.xfuser.models.internal.files.OneFile;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures that begin with a given one are those of diffusers, on one rank and on many. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SourcePicturesTest {
  /** Of pixels between 0 and 1, in fp32; a step of 8 bits is 4e-3. */
  private static final double TOLERANCE = 1e-3;

  private static final double ONE_OF_8_BITS = 1.01 / 255;

  @TempDir static Path scratch;

  private final Map<String, DiffusionPipeline> opened = new HashMap<>();

  @AfterAll
  void close() {
    opened.values().forEach(DiffusionPipeline::close);
  }

  private DiffusionPipeline pipeline(SourceCall call) throws IOException {
    Path folder = scratch.resolve(call.pipeline() + call.className() + call.type());
    if (!opened.containsKey(folder.toString())) {
      EngineConfig engine =
          EngineConfig.builder(call.directory(Files.createDirectory(folder)))
              .runtime(r -> r.dtype(call.type()))
              .build();
      opened.put(folder.toString(), DiffusionPipeline.fromPretrained(engine));
    }
    return Objects.requireNonNull(opened.get(folder.toString()));
  }

  /** Every class of pipelines with a file's weights; and what every other call's name says. */
  static List<SourceCall> calls() throws IOException {
    return CoveringArray.of(SourceCall.all(), 0, SourcePicturesTest::shows, SourceCall::cost);
  }

  private static Set<?> shows(SourceCall call) {
    String model = call.name().replaceFirst("_.*", "");
    String manner = call.name().substring(model.length()).replace("_inpaint", "");
    String kind = call.className().replaceFirst(".*(Img2Img|Inpaint|Fill)Pipeline", "$1");
    return Set.of(call.className(), call.pipeline() + call.type(), kind + manner);
  }

  @ParameterizedTest
  @MethodSource("calls")
  void everyPictureEqualsThatOfDiffusers(SourceCall call) throws IOException {
    try (NDManager manager = Torch.newManager()) {
      OutputType type = call.cropped() ? OutputType.PIL : OutputType.PT;
      NDArray whole = drawn(manager, call, ParallelConfig.serial(), 0, type);
      assertThat(whole.getShape().getShape()).isEqualTo(call.shape());
      if (call.type() != ElementType.FLOAT32) {
        double theirs = Pixels.psnr(call.reference(manager), call.exact(manager));
        assertThat(Pixels.psnr(call.strided(whole), call.reference(manager)))
            .isGreaterThanOrEqualTo(theirs - DiffusersParity.BOTH_ERRORS);
        return;
      }
      double difference = Pixels.largestDifference(call.strided(whole), call.reference(manager));
      assertThat(difference).isLessThanOrEqualTo(call.cropped() ? ONE_OF_8_BITS : TOLERANCE);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "fill_several")
  void fillInASingleFileDrawsThePictureOfDiffusersToo(String name) throws IOException {
    SourceCall call = SourceCall.named(name);
    Path folder = Files.createDirectory(scratch.resolve("file of " + name));
    Path directory = call.directory(Files.createDirectory(folder.resolve("fill")));
    ModelConfig file =
        OneFile.alone(directory, call.pipeline(), folder.resolve("flux1-fill.safetensors")).build();
    try (NDManager manager = Torch.newManager()) {
      EngineConfig engine = EngineConfig.builder(file).build();
      NDArray found;
      try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine)) {
        found = drawn(manager, call.input(), pipeline, engine);
      }
      assertThat(Pixels.largestDifference(call.strided(found), call.reference(manager)))
          .isLessThanOrEqualTo(TOLERANCE);
    }
  }

  /** One of each kind with two pictures, and some of the layouts in which strategies have parts. */
  static Stream<Arguments> layouts() {
    ParallelConfig serial = ParallelConfig.serial();
    ParallelConfig patches = serial.toBuilder().numPipelinePatch(3).build();
    List<ParallelConfig> all =
        List.of(
            serial.toBuilder().ulyssesDegree(2).ringDegree(2).build(),
            serial.toBuilder().tensorDegree(2).dataDegree(2).build(),
            patches.toBuilder().pipefusionDegree(2).build(),
            patches.toBuilder().pipefusionDegree(3).ulyssesDegree(2).build(),
            serial.toBuilder().distrifusionDegree(3).numDistrifusionPatch(3).build(),
            serial.toBuilder().ringDegree(3).dataDegree(2).build());
    List<String> kinds =
        List.of(
            "sd3_much",
            "sd3_inpaint_all",
            "zimage_inpaint_all",
            "flux_inpaint_several",
            "fill_several",
            "sprint_several",
            "flux_much", // these are tried with the profile complete
            "chroma_inpaint_several");
    return Stream.concat(
        Stream.of(
            Arguments.of("sd3_much", serial.toBuilder().cfgDegree(2).ulyssesDegree(2).build())),
        kinds.subList(0, CoveringArray.ALL ? kinds.size() : all.size()).stream()
            .flatMap(
                kind ->
                    CoveringArray.part(all, kinds.indexOf(kind), all.size()).stream()
                        .map(layout -> Arguments.of(kind, layout))));
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void everyLayoutDrawsWhatItsPatchesDoOnOneRank(String name, ParallelConfig layout)
      throws IOException {
    SourceCall call = SourceCall.named(name);
    try (NDManager manager = Torch.newManager()) {
      ParallelConfig alone = new Layout(layout, 1).onOneRank().degrees();
      boolean decoded = layout.ringDegree() > 1; // by all ranks
      OutputType type = decoded ? OutputType.PT : OutputType.LATENT;
      NDArray expected = drawn(manager, call, alone, 1, type);
      NDArray found = drawn(manager, call, layout, 1, type);
      assertThat(Pixels.largestDifference(found, expected))
          .isLessThanOrEqualTo(1e-4 * (decoded ? 1 : Pixels.largest(expected)));
    }
  }

  private NDArray drawn(
      NDManager manager, SourceCall call, ParallelConfig ranks, int warmup, OutputType type)
      throws IOException {
    EngineConfig engine =
        EngineConfig.builder(Path.of("none"))
            .parallel(ranks)
            .runtime(
                r ->
                    r.warmupSteps(warmup).useParallelVae(ranks.ringDegree() > 1).dtype(call.type()))
            .build();
    return drawn(
        manager, call.input().toBuilder().outputType(type).build(), pipeline(call), engine);
  }

  private static NDArray drawn(
      NDManager manager, InputConfig input, DiffusionPipeline pipeline, EngineConfig engine) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = ranks.generate(input)) {
      return input.outputType() == OutputType.PIL
          ? Pixels.first(manager, generation.images())
          : Torch.alias(manager, generation.tensor());
    }
  }
}
