package io.xfuser.config;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Model.CommandSpec;

/** The flags' names, without the dashes in front, for those who take them from elsewhere. */
public final class FlagNames {
  /** Settings as sentences of the library name them, and their flags. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          "withResolutionBinning(false)", "--no_use_resolution_binning",
          "withShardedT5Encoder", "--shard_t5_encoder",
          "useTorchCompile", "--use_torch_compile",
          "attentionKernel", "--attention_backend",
          "the device cuda", "--device cuda",
          "Offload.MODEL", Offload.MODEL.flag(),
          "Offload.SEQUENTIAL", Offload.SEQUENTIAL.flag(),
          "the variant chooses", "--variant chooses",
          "and open DIR", "and give --model DIR");

  private FlagNames() {}

  /** Flags that say how a pipeline is computed, whatever is asked of it. */
  public static Set<String> engine() {
    Set<String> names = names(new ParallelFlags());
    names.addAll(names(new RuntimeFlags()));
    names.remove("launcher"); // not the pipeline's, but the runner's
    names.add("variant");
    return names;
  }

  /** Flags that describe the picture, but for the prompt. */
  public static Set<String> input() {
    Set<String> names = names(new InputFlags());
    names.remove("prompt");
    return names;
  }

  /**
   * A sentence of the library for those who write command lines: settings and methods that it names
   * become the flags that stand for them.
   */
  public static String inSentence(String sentence) {
    String said = sentence;
    for (Map.Entry<String, String> setting : SETTINGS.entrySet()) {
      said = said.replace(setting.getKey(), setting.getValue());
    }
    return said;
  }

  private static Set<String> names(Object flags) {
    Set<String> names = new TreeSet<>();
    CommandSpec.forAnnotatedObject(flags).optionsMap().keySet().stream()
        .map(name -> name.replaceFirst("^-+", ""))
        .forEach(names::add);
    return names;
  }
}
