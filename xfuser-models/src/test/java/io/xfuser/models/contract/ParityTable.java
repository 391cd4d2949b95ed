package io.xfuser.models.contract;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.ParallelConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.testing.Pixels;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Measures the laws on all tiny pipelines and writes {@code docs/parity.md}. */
final class ParityTable {
  private static final ParallelConfig SERIAL = ParallelConfig.serial();

  /** Layouts whose pictures equal that of one rank. */
  static final Map<String, ParallelConfig> SYNCHRONOUS = new LinkedHashMap<>();

  private static final Map<String, UnaryOperator<RuntimeConfig>> SHARED = new LinkedHashMap<>();

  /** Layouts whose pictures equal that of one rank with as many patches, three. */
  static final Map<String, ParallelConfig> PIPEFUSION = new LinkedHashMap<>();

  /** Layouts whose pictures equal that of one rank with as many displaced patches. */
  static final Map<String, ParallelConfig> DISTRIFUSION = new LinkedHashMap<>();

  static {
    SYNCHRONOUS.put("CFG 2", SERIAL.toBuilder().cfgDegree(2).build());
    SYNCHRONOUS.put("data 2", SERIAL.toBuilder().dataDegree(2).build());
    SYNCHRONOUS.put("Ulysses 4", SERIAL.toBuilder().ulyssesDegree(4).build());
    SYNCHRONOUS.put("ring 4", SERIAL.toBuilder().ringDegree(4).build());
    SYNCHRONOUS.put(
        "Ulysses 2 × ring 2", SERIAL.toBuilder().ulyssesDegree(2).ringDegree(2).build());
    SYNCHRONOUS.put("tensor 2", SERIAL.toBuilder().tensorDegree(2).build());
    SYNCHRONOUS.put("tensor 4", SERIAL.toBuilder().tensorDegree(4).build()); // of six heads
    SYNCHRONOUS.put(
        "3 stages, M = 1", SERIAL.toBuilder().pipefusionDegree(3).numPipelinePatch(1).build());
    SHARED.put("parallel VAE on them", runtime -> runtime.toBuilder().useParallelVae(true).build());
    SHARED.put(
        "text encoder in shares", runtime -> runtime.toBuilder().shardTextEncoder(true).build());
    PIPEFUSION.put(
        "2 stages, M = 3", SERIAL.toBuilder().pipefusionDegree(2).numPipelinePatch(3).build());
    PIPEFUSION.put(
        "CFG 2 × 2 stages × Ulysses 2, M = 3",
        SERIAL.toBuilder()
            .cfgDegree(2)
            .pipefusionDegree(2)
            .ulyssesDegree(2)
            .numPipelinePatch(3)
            .build());
    PIPEFUSION.put(
        "2 stages × tensor 2, M = 3",
        SERIAL.toBuilder().pipefusionDegree(2).tensorDegree(2).numPipelinePatch(3).build());
    PIPEFUSION.put(
        "2 stages × ring 2, M = 3",
        SERIAL.toBuilder().pipefusionDegree(2).ringDegree(2).numPipelinePatch(3).build());
    DISTRIFUSION.put("DistriFusion 3", SERIAL.toBuilder().distrifusionDegree(3).build());
    DISTRIFUSION.put(
        "DistriFusion 3 × Ulysses 2",
        SERIAL.toBuilder().distrifusionDegree(3).ulyssesDegree(2).build());
    DISTRIFUSION.put(
        "DistriFusion 3 × tensor 2",
        SERIAL.toBuilder().distrifusionDegree(3).tensorDegree(2).build());
  }

  private ParityTable() {}

  /**
   * Takes the file to write, and the pipelines that are measured; those that are not keep their
   * rows. None named: all are measured.
   *
   * @throws IllegalArgumentException for a name that no pipeline has, before any is measured
   */
  public static void main(String[] arguments) throws IOException {
    Torch.prepareThread(1);
    Path page = Path.of(arguments[0]);
    List<String> named = List.of(arguments).subList(1, arguments.length);
    List<String> old = named.isEmpty() ? List.of() : Files.readAllLines(page);
    List<String> lines = new ArrayList<>();
    List<Subject> subjects = subjects();
    ParityPage.requireKnown(named, subjects.stream().map(Subject::name).toList());
    for (Subject subject : subjects) {
      String begin = "| `" + subject.name() + "` |";
      if (named.isEmpty() || named.contains(subject.name())) {
        System.err.println(subject.name());
        lines.add(row(subject));
      } else {
        old.stream().filter(line -> line.startsWith(begin)).forEach(lines::add);
      }
    }
    Files.writeString(page, ParityPage.text(titles(), lines));
  }

  /**
   * A pipeline and its calls, of which one is drawn by all layouts.
   *
   * @param expected what diffusers made of a call
   */
  private record Subject(
      String name,
      ModelConfig model,
      List<DiffusersCall> calls,
      Function<DiffusersCall, InputConfig> input,
      BiFunction<NDManager, DiffusersCall, NDArray> expected) {
    double fromDiffusers(DiffusersCall call) {
      try (NDManager manager = Torch.newManager()) {
        NDArray whole = generate(manager, input.apply(call), EngineConfig.builder(model).build());
        return Pixels.largestDifference(call.strided(whole), expected.apply(manager, call));
      }
    }
  }

  private static List<Subject> subjects() throws IOException {
    List<Subject> subjects = new ArrayList<>();
    for (String pipeline : pipelines()) {
      subjects.add(
          new Subject(
              pipeline,
              ModelConfig.builder(DiffusersCall.FIXTURES.resolve(pipeline)).build(),
              DiffusersCall.of(pipeline),
              DiffusersCall::input,
              (manager, call) -> call.reference(manager, "pixels")));
    }
    Path dev = Requests.directory("flux_dev_tiny");
    Path pictures = ReferredPictures.folder("kontext");
    List<DiffusersCall> referring =
        ReferredPictures.calls(pictures).stream()
            .filter(call -> call.directory().equals(dev))
            .toList();
    Path directory = Requests.kontext(dev, Files.createTempDirectory("xfuser-parity"));
    subjects.add(
        new Subject(
            "kontext",
            ModelConfig.builder(directory).build(),
            referring,
            call -> ReferredPictures.input(pictures, call),
            (manager, call) -> ReferredPictures.expected(manager, pictures, call)));
    subjects.add(shown("ip_adapter", ShownPictures.FOLDER, "flux_dev_tiny"));
    subjects.add(shown("ip_adapter_timed", ShownPictures.TIMED, "sd35_medium_tiny"));
    return subjects;
  }

  /** Pictures as prompts of one model, by the first of its adapters. */
  private static Subject shown(String name, Path folder, String model) throws IOException {
    List<DiffusersCall> all =
        ReferredPictures.calls(folder).stream()
            .filter(call -> call.directory().equals(Requests.directory(model)))
            .filter(call -> !call.json().get("class").asText().contains("Kontext"))
            .toList();
    JsonNode adapter = all.get(0).json().get("adapters");
    return new Subject(
        name,
        ShownPictures.from(folder, Requests.directory(model), ShownPictures.adapters(all.get(0))),
        all.stream().filter(call -> call.json().get("adapters").equals(adapter)).toList(),
        call -> ShownPictures.input(folder, call),
        (manager, call) -> ReferredPictures.expected(manager, folder, call));
  }

  static List<String> pipelines() throws IOException {
    try (Stream<Path> folders = Files.list(DiffusersCall.FIXTURES.resolve("reference"))) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("cases.json")))
          .map(folder -> folder.getFileName().toString())
          .filter(name -> Files.exists(DiffusersCall.FIXTURES.resolve(name + "/model_index.json")))
          .sorted()
          .toList();
    }
  }

  private static String row(Subject subject) {
    double most = 0;
    for (DiffusersCall call : subject.calls()) {
      if (call.type() == ElementType.FLOAT32) {
        most = Math.max(most, subject.fromDiffusers(call));
      }
    }
    List<String> cells = new ArrayList<>(List.of("`" + subject.name() + "`", number(most)));
    ModelConfig chosen = subject.model();
    try (NDManager manager = Torch.newManager()) {
      InputConfig input = subject.input().apply(mostVaried(subject.calls()));
      NDArray serial = generate(manager, chosen, input, SERIAL);
      for (ParallelConfig degrees : SYNCHRONOUS.values()) {
        cells.add(difference(manager, chosen, input, degrees, serial));
      }
      for (UnaryOperator<RuntimeConfig> shared : SHARED.values()) {
        EngineConfig stages =
            engine(chosen, SERIAL.toBuilder().pipefusionDegree(3).numPipelinePatch(1).build());
        EngineConfig engine = stages.toBuilder().runtime(shared.apply(stages.runtime())).build();
        cells.add(difference(() -> generate(manager, input, engine), serial));
      }
      NDArray patchSerial =
          generate(manager, chosen, input, SERIAL.toBuilder().numPipelinePatch(3).build());
      for (ParallelConfig degrees : PIPEFUSION.values()) {
        cells.add(difference(manager, chosen, input, degrees, patchSerial));
      }
      cells.add(number(Pixels.largestDifference(patchSerial, serial)));
      NDArray displaced =
          generate(manager, chosen, input, SERIAL.toBuilder().numDistrifusionPatch(3).build());
      for (ParallelConfig degrees : DISTRIFUSION.values()) {
        cells.add(difference(manager, chosen, input, degrees, displaced));
      }
      cells.add(number(Pixels.largestDifference(displaced, serial)));
    }
    return "| " + String.join(" | ", cells) + " |";
  }

  /** Several pictures, where there is such a call. */
  static DiffusersCall mostVaried(List<DiffusersCall> calls) {
    return calls.stream()
        .filter(call -> call.toString().endsWith("several"))
        .findFirst()
        .orElse(calls.get(0));
  }

  /** A number, or a dash where the request leaves nothing to share out. */
  private static String difference(
      NDManager manager,
      ModelConfig model,
      InputConfig input,
      ParallelConfig degrees,
      NDArray reference) {
    return difference(() -> generate(manager, model, input, degrees), reference);
  }

  private static String difference(Supplier<NDArray> generated, NDArray reference) {
    try {
      return number(Pixels.largestDifference(generated.get(), reference));
    } catch (IllegalArgumentException refused) {
      return "–";
    }
  }

  private static NDArray generate(
      NDManager manager, ModelConfig model, InputConfig input, ParallelConfig degrees) {
    return generate(manager, input, engine(model, degrees));
  }

  private static EngineConfig engine(ModelConfig model, ParallelConfig degrees) {
    return EngineConfig.builder(model).parallel(degrees).build();
  }

  private static NDArray generate(NDManager manager, InputConfig input, EngineConfig engine) {
    try (XDiTParallel ranks = XDiTParallel.inProcess(engine);
        Generation generation = ranks.generate(input)) {
      return Torch.copy(manager, generation.tensor());
    }
  }

  private static String number(double difference) {
    return difference == 0 ? "0" : String.format(Locale.ROOT, "%.0e", difference);
  }

  private static List<String> titles() {
    List<String> titles = new ArrayList<>(List.of("pipeline", "diffusers"));
    titles.addAll(SYNCHRONOUS.keySet());
    titles.addAll(SHARED.keySet());
    titles.addAll(PIPEFUSION.keySet());
    titles.add("M = 3 itself");
    titles.addAll(DISTRIFUSION.keySet());
    titles.add("DistriFusion itself");
    return titles;
  }
}
