package io.xfuser.cli.runner;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.xfuser.cli.flags.XFuserArgs;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.ModelConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.MemoryException;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.files.ModelAssembler;
import io.xfuser.internal.plan.MemoryNeed;
import io.xfuser.internal.runtime.RankMemory;
import io.xfuser.pipeline.DiffusionPipeline;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/**
 * {@code inspect FILE_OR_DIR [FLAGS]}: says what a file or a directory is, and if it is a model,
 * what each rank of the layout that the flags ask for would need in memory; weights are not read.
 */
final class Inspect {
  /** The word before the flags. */
  static final String COMMAND = "inspect";

  private static final String JSON = "--json";
  private static final String BYTES = "bytes";

  private Inspect() {}

  /** Prints what {@code argv}, without the command, names. */
  static void run(PrintStream out, List<String> argv) {
    List<String> arguments = new ArrayList<>(argv);
    boolean json = arguments.remove(JSON);
    if (arguments.contains("--help") || arguments.contains("-h")) {
      out.println(
          "Usage: xdit inspect FILE|DIR [FLAGS] [--json]\n"
              + "Says what that is, and what drawing with it by FLAGS, those of xdit, would need.");
      return;
    }
    if (arguments.isEmpty() || arguments.get(0).startsWith("-")) {
      throw new ArgumentException(
          "inspect needs a file or a directory, then flags, and %s%s"
              .formatted(JSON, arguments.isEmpty() ? "" : ", but first is " + arguments.get(0)));
    }
    Path place = Path.of(arguments.get(0));
    List<String> flags = arguments.subList(1, arguments.size());
    Map<String, Object> report = report(place, flags);
    out.println(json ? json(report) : text(report, ""));
  }

  private static Map<String, Object> report(Path place, List<String> flags) {
    XFuserArgs args = XFuserArgs.parseWithoutPrompt(flags.toArray(String[]::new));
    if (args.model() != null) {
      throw new ArgumentException("inspect is told the model by its place, not by --model");
    }
    ModelConfig model = args.engineConfig(place).model();
    Map<String, Object> report =
        ServiceLoader.load(ModelAssembler.class)
            .findFirst()
            .orElseThrow(() -> new ArgumentException("nothing here knows files of models"))
            .inspect(place, model.parts());
    boolean drawn = report.containsKey("pipeline") && Boolean.TRUE.equals(report.get("supported"));
    if (!drawn && !flags.isEmpty()) {
      throw new ArgumentException(
          "%s is %s, and flags are for models that can be drawn with"
              .formatted(place, report.getOrDefault("is", report.get("pipeline"))));
    }
    if (!drawn) {
      return report;
    }
    try {
      boolean whole = List.of().equals(report.get("missing"));
      report.put(
          "memory", whole ? memory(args, found(place, report)) : "known when nothing is missing");
    } catch (ModelException e) {
      if (!flags.isEmpty()) {
        throw e;
      }
      report.put("problem", e.getMessage()); // beside what is known
    }
    return report;
  }

  /** The directory where it is not what was named: a repository's snapshot. */
  private static Path found(Path place, Map<String, Object> report) {
    return Path.of(String.valueOf(report.getOrDefault("directory", place)));
  }

  private static Map<String, Object> memory(XFuserArgs args, Path place) {
    EngineConfig engine = args.engineConfig(place);
    try (DiffusionPipeline pipeline = DiffusionPipeline.fromPretrained(engine)) {
      return memory(RankMemory.of(pipeline.model(), engine, args.inputConfig()));
    }
  }

  private static Map<String, Object> memory(RankMemory.Layout layout) {
    Map<String, Object> memory = new LinkedHashMap<>();
    memory.put("weight_bytes_in_one_process", layout.sharedBytes());
    memory.put("ranks", layout.ranks().stream().map(Inspect::memory).toList());
    return memory;
  }

  private static Map<String, Object> memory(RankMemory rank) {
    Map<String, Object> memory = new LinkedHashMap<>();
    memory.put("rank", rank.rank());
    memory.put("weight_bytes", rank.weightBytes());
    memory.put("transformer_bytes", rank.transformerBytes());
    if (rank.transformerBytesAtOnce() < rank.transformerBytes()) {
      memory.put("transformer_bytes_at_once", rank.transformerBytesAtOnce());
    }
    if (rank.flopPerByteRead() > 0) {
      memory.put("flop_per_byte_read", Math.round(rank.flopPerByteRead()));
    }
    memory.put("text_encoder_bytes", rank.textEncoderBytes());
    if (rank.textEncoderBytesAtOnce() < rank.textEncoderBytes()) {
      memory.put("text_encoder_bytes_at_once", rank.textEncoderBytesAtOnce());
    }
    memory.put("text_cache_bytes_at_most", rank.textCacheBytes());
    memory.put("vae_bytes", rank.vaeBytes());
    Map<String, Object> least = new LinkedHashMap<>();
    for (MemoryNeed need : rank.needs()) {
      least.put(need.phase() + " needs at least", Map.of(BYTES, Math.round(need.bytes())));
    }
    memory.put("beside_weights", least);
    return memory;
  }

  /** A line for each value, those of lists and maps indented below their names. */
  private static String text(Map<?, ?> values, String indent) {
    List<String> lines = new ArrayList<>();
    values.forEach(
        (name, value) -> {
          String start = indent + name + ":";
          if (value instanceof Map<?, ?> map) {
            lines.add(map.isEmpty() ? start + " none" : start);
            lines.add(text(map, indent + "  "));
          } else if (value instanceof List<?> list
              && list.stream().anyMatch(Map.class::isInstance)) {
            lines.add(start);
            list.forEach(item -> lines.add(text((Map<?, ?>) item, indent + "  ") + "\n"));
          } else {
            lines.add(start + " " + shown(String.valueOf(name), value));
          }
        });
    lines.removeIf(String::isEmpty);
    return String.join("\n", lines);
  }

  private static String shown(String name, Object value) {
    if (name.contains(BYTES) && value instanceof Number bytes) {
      return MemoryException.amount(bytes.doubleValue());
    }
    return value instanceof List<?> list && list.isEmpty() ? "nothing" : String.valueOf(value);
  }

  private static String json(Map<String, Object> report) {
    try {
      return new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(report);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // texts, numbers, lists and maps
    }
  }
}
