package io.xfuser.models.process;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.internal.parallel.TestRanks;
import io.xfuser.models.contract.CoveringArray;
import io.xfuser.models.internal.weights.FileWeights;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.ClassOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.TestClassOrder;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Law 5: the ranks' picture is the same bit for bit whether they are threads or processes. That of
 * threads is the one of a single rank with the same patches and warm-up, laws 2 and 3: each model's
 * {@code ParallelContract} holds that, and with the profile {@code complete} so does this test. The
 * same processes then cancel, and at last some of them are killed and stopped.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestClassOrder(ClassOrderer.OrderAnnotation.class)
class ProcessesEqualThreadsTest {
  private static final Path FIXTURES = Path.of("src/test/resources/fixtures").toAbsolutePath();
  private static final List<String> PROMPTS =
      List.of("a red fox in the snow", "an old lighthouse", "three green apples");

  private static final int MAX_RANKS = CoveringArray.ALL ? 8 : 3;

  @TempDir private Path directory = Path.of("");
  private final Map<Case, byte[]> ofThreads = new HashMap<>();
  private final OpenPipelines pipelines = new OpenPipelines();
  private @Nullable RankProcesses processes;
  private String world = "";
  private int outputs;

  private static final List<String> BY_SHARED_MEMORY =
      List.of(
          "112x144 --use_cfg_parallel",
          "112x144 --ulysses_degree 2 --dtype float16",
          "384x384 --ring_degree 2",
          "112x144 --tensor_parallel_degree 2",
          "112x144 --data_parallel_degree 2 --prompts 3 --num_images_per_prompt 2",
          "112x144 --pipefusion_parallel_degree 2 --vae_parallel_size 1 --num_pipeline_patch 3"
              + " --warmup_steps 1 --alpha");

  /** Large tensors of channels that have none by shared memory. */
  private static final List<String> BY_TCP =
      List.of(
          "384x384 --pipefusion_parallel_degree 2 --num_pipeline_patch 3 --warmup_steps 1",
          "112x144 --distrifusion_degree 3 --dtype bfloat16 --shard_text_encoder");

  /** With the profile {@code complete}. */
  private static final List<String> MORE_BY_TCP =
      List.of(
          "384x384 --ring_degree 2",
          "384x384 --ulysses_degree 2 --distrifusion_degree 2 --dtype bfloat16",
          "112x144 --use_cfg_parallel --pipefusion_parallel_degree 2 --warmup_steps 4"
              + " --shard_text_encoder",
          "112x144 --data_parallel_degree 2 --prompts 3 --vae_parallel_size 1");

  /** With the profile {@code complete}, by shared memory. */
  private static final List<String> MORE =
      List.of(
          "384x384 --ulysses_degree 2 --dtype float16",
          "384x384 --pipefusion_parallel_degree 2 --num_pipeline_patch 3 --warmup_steps 1",
          "112x144 --pipefusion_parallel_degree 2 --vae_parallel_size 2",
          "112x144 --pipefusion_parallel_degree 2 --ring_degree 2 --num_pipeline_patch 3"
              + " --warmup_steps 0 --alpha",
          "384x384 --ulysses_degree 2 --distrifusion_degree 2 --dtype bfloat16",
          "112x144 --pipefusion_parallel_degree 2 --num_pipeline_patch 5 --warmup_steps 0"
              + " --attn_layer_num_for_pp 7 2",
          "384x384 --distrifusion_degree 2",
          "112x144 --data_parallel_degree 2 --prompts 3 --vae_parallel_size 1",
          "112x144 --pipefusion_parallel_degree 2 --dtype bfloat16 --prompts 2",
          "384x384 --pipefusion_parallel_degree 2 --ulysses_degree 2 --num_pipeline_patch 4",
          "384x384 --ulysses_degree 2 --ring_degree 2 --dtype bfloat16",
          "112x144 --use_cfg_parallel --pipefusion_parallel_degree 2 --warmup_steps 4"
              + " --shard_text_encoder",
          "112x144 --pipefusion_parallel_degree 4 --num_pipeline_patch 8 --warmup_steps 2",
          "384x384 --data_parallel_degree 2 --ring_degree 2 --prompts 2 --dtype float16",
          "112x144 --use_cfg_parallel --ulysses_degree 2 --alpha --dtype bfloat16",
          "112x144 --pipefusion_parallel_degree 3 --num_pipeline_patch 2 --ulysses_degree 2",
          "384x384 --ring_degree 3 --use_cfg_parallel --shard_text_encoder --dtype bfloat16",
          "112x144 --distrifusion_degree 3 --ulysses_degree 2 --dtype bfloat16",
          "112x144 --tensor_parallel_degree 2 --pipefusion_parallel_degree 2 --dtype bfloat16",
          "384x384 --use_cfg_parallel --pipefusion_parallel_degree 2 --ulysses_degree 2",
          "112x144 --pipefusion_parallel_degree 2 --ring_degree 2 --ulysses_degree 2"
              + " --num_pipeline_patch 3 --warmup_steps 0");

  /** Neighbours share a world. 112 × 144 pixels are 63 tokens, 384 × 384 are 576. */
  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    BY_SHARED_MEMORY.forEach(flags -> cases.add(Case.of(flags, true)));
    BY_TCP.forEach(flags -> cases.add(Case.of(flags, false)));
    if (CoveringArray.ALL) {
      MORE.forEach(flags -> cases.add(Case.of(flags, true)));
      MORE_BY_TCP.forEach(flags -> cases.add(Case.of(flags, false)));
    }
    return cases.stream()
        .sorted(Comparator.comparing(Case::sharedMemory).thenComparing(Case::ranks));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void processesMakeTheThreadsPictureBitForBit(Case test) throws Exception {
    Path output = directory.resolve(String.valueOf(outputs++));
    worldOf(test).run(test.flags(output));
    byte[] threads = ofThreads.get(test.withSharedMemory());
    if (threads == null) {
      threads = onThreads(test);
      ofThreads.put(test.withSharedMemory(), threads);
    }
    assertThat(saved(output)).isEqualTo(threads);
  }

  /** Ranks of this JVM that are joined as processes are: more of them than start always. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "112x144 --use_cfg_parallel --pipefusion_parallel_degree 2 --num_pipeline_patch 3"
            + " --warmup_steps 1 --alpha",
        "112x144 --ulysses_degree 2 --ring_degree 2"
      })
  void hybridsThatAreJoinedAsProcessesAreDoSo(String flags) throws Exception {
    Case test = Case.of(flags, true);
    WrittenRequest args = WrittenRequest.parse(test.flags(directory));
    DiffusionPipeline pipeline = pipelines.of(args.engine());
    Path output = directory.resolve(String.valueOf(outputs++));
    TestRanks.SOCKET.run(
        test.ranks(),
        world -> {
          try (XDiTParallel rank = new XDiTParallel(pipeline, args.engine(), world);
              Generation generation = rank.generate(RankMain.pixels(args))) {
            return generation.save(output.resolve("rank" + world.rank()));
          }
        });
    assertThat(saved(output)).isEqualTo(onThreads(test));
  }

  /** The world of the case before where it fits, else another of the same processes. */
  private RankProcesses worldOf(Case test) throws Exception {
    String needed = test.ranks() + " ranks, shared memory " + test.sharedMemory();
    RankProcesses running = running();
    if (!needed.equals(world)) {
      running.join(test.ranks(), test.sharedMemory());
      world = needed;
    }
    return running;
  }

  private RankProcesses running() throws IOException {
    RankProcesses running = processes;
    if (running == null) {
      running = RankProcesses.start(MAX_RANKS);
      processes = running;
    }
    return running;
  }

  @Nested
  @Order(1)
  class Cancelled extends CancelledProcesses {
    @Override
    RankProcesses ranks() throws IOException {
      return running();
    }
  }

  @Nested
  @Order(2)
  class Drill extends FailureDrill {
    @Override
    RankProcesses ranks() throws IOException {
      return running();
    }
  }

  @AfterAll
  void end() {
    pipelines.close();
    if (processes != null) {
      processes.close();
    }
  }

  /** The bytes of the picture that in-process ranks make. */
  private byte[] onThreads(Case test) {
    WrittenRequest args = WrittenRequest.parse(test.flags(directory));
    EngineConfig engine = args.engine();
    DiffusionPipeline pipeline = pipelines.of(engine);
    try (XDiTParallel threads = XDiTParallel.inProcess(pipeline, engine);
        Generation generation = threads.generate(RankMain.pixels(args))) {
      if (CoveringArray.ALL && engine.runtime().dtype() == ElementType.FLOAT32) {
        ParallelConfig patches =
            ParallelConfig.builder()
                .numPipelinePatch(engine.parallel().patches())
                .numDistrifusionPatch(engine.parallel().distrifusionPatches())
                .build();
        EngineConfig one = engine.toBuilder().parallel(patches).build();
        try (XDiTParallel serial = XDiTParallel.inProcess(pipeline, one);
            Generation expected = serial.generate(RankMain.pixels(args))) {
          assertThat(Pixels.largestDifference(generation.tensor(), expected.tensor()))
              .isLessThanOrEqualTo(1e-4);
        }
      }
      return bytes(generation.tensor());
    }
  }

  /** The bytes of what all ranks have saved, in their order: that of the pictures. */
  private static byte[] saved(Path output) throws IOException {
    List<Path> files;
    try (Stream<Path> found = Files.walk(output)) {
      files = found.filter(Files::isRegularFile).sorted().toList();
    }
    try (NDManager manager = Torch.newManager()) {
      List<NDArray> parts = new ArrayList<>();
      for (Path file : files) {
        try (FileWeights tensors = FileWeights.openFile(file, null)) {
          NDArray part = tensors.get(manager, "images", tensors.shape("images"));
          parts.add(Torch.contiguous(manager, part));
        }
      }
      return bytes(Torch.concat(manager, parts, 0));
    }
  }

  private static byte[] bytes(NDArray tensor) {
    try (NDManager scope = Torch.newManager()) {
      var memory = Torch.memory(Torch.contiguous(scope, tensor));
      byte[] bytes = new byte[memory.remaining()];
      memory.get(bytes);
      return bytes;
    }
  }

  /** One combination of degrees; the same as another if its flags are. */
  record Case(String name, int ranks, boolean sharedMemory) {
    static Case of(String name, boolean sharedMemory) {
      Case test = new Case(name, 0, sharedMemory);
      WrittenRequest args = WrittenRequest.parse(test.flags(Path.of("unused")));
      return new Case(name, args.engine().parallel().worldSize(), sharedMemory);
    }

    Case withSharedMemory() {
      return new Case(name, ranks, true);
    }

    List<String> flags(Path output) {
      List<String> words = new ArrayList<>(Arrays.asList(name.split(" ")));
      String size = words.remove(0);
      String model = words.remove("--alpha") ? "pixart_alpha_tiny" : "pixart_sigma_tiny";
      int prompts = 1;
      int given = words.indexOf("--prompts");
      if (given >= 0) {
        words.remove(given);
        prompts = Integer.parseInt(words.remove(given));
      }
      words.addAll(List.of("--model", FIXTURES.resolve(model).toString()));
      words.addAll(List.of("--height", size.substring(0, 3), "--width", size.substring(4)));
      words.add("--no_use_resolution_binning");
      words.addAll(List.of("--num_inference_steps", CoveringArray.ALL ? "4" : "3"));
      words.addAll(List.of("--max_sequence_length", "20", "--output_directory", output.toString()));
      words.add("--prompt");
      words.addAll(PROMPTS.subList(0, prompts));
      return words;
    }

    @Override
    public String toString() {
      return ranks + " ranks, " + name + (sharedMemory ? "" : ", no shared memory");
    }
  }
}
