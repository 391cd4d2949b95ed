package io.xfuser.cli.flags;

import io.xfuser.cli.flags.Flags.Flag;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Offload;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Settings.StepCache;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Sentences of the library for those who write command lines: settings become flags. */
public final class FlagSentences {
  /** Flags by the settings, alone or with a value, that they stand for. */
  private static final Map<String, String> SPELLINGS = spellings();

  /**
   * Where a single word is a setting and no word of English: judged, had, needed, listed, excluded
   * or measured.
   */
  private static final String ONE_WORD =
      "^%1$s(?=: | must | is | are | needs | \\S+ cannot | and \\w+ (?:must|exclude) )"
          + "|(?<=^\\w{1,40} and )%1$s(?= (?:must|exclude) )"
          + "|^%1$s(?= -?[0-9]+\\.[0-9]+ )"
          + "|(?<=^\\w{1,60} takes no )%1$s(?=$|,)"
          + "|(?<=^\\w{1,40} has no )%1$s(?=$|:)"
          + "|(?<=^\\w{1,40} needs )%1$s(?=$|,)"
          + "|(?<=[(])%1$s(?= × )|(?<= × )%1$s(?= × |[)])"
          + "|(?<=given by [\\w, ]{0,120})%1$s(?=,|$)";

  /** A setting in a sentence. */
  private static final Pattern NAMED =
      Pattern.compile(
          SPELLINGS.keySet().stream()
              .sorted(Comparator.comparing(String::length).reversed()) // "offload model" first
              .map(name -> name.matches("[a-z]+") ? ONE_WORD.formatted(name) : name)
              .collect(Collectors.joining("|", "(?<![\\w./-])(", ")(?![\\w/-]|\\.\\w)")));

  private FlagSentences() {}

  private static Map<String, String> spellings() {
    Map<String, String> spellings = new LinkedHashMap<>();
    spellings.put(RuntimeConfig.OFFLOAD.with(Offload.LAYERWISE), "--offload layerwise");
    spellings.put(RuntimeConfig.DTYPE + " bfloat16", "--dtype bfloat16");
    for (StepCache cache : StepCache.values()) {
      boolean known = cache == StepCache.TEACACHE || cache == StepCache.FBCACHE; // xDiT's flags
      if (!known) {
        String pair = InputConfig.CACHE.with(cache);
        spellings.put(pair, "--" + pair);
      }
    }
    for (Flag flag : Flags.all()) {
      String setting = flag.setting().name();
      spellings.putIfAbsent(setting, flag.name());
      if (flag.value() != null) {
        spellings.putIfAbsent(flag.setting().with(flag.value()), flag.name());
      }
    }
    return spellings;
  }

  /** The same by the names that {@code argv} has for settings that have several. */
  private static Map<String, String> written(List<String> argv) {
    Map<String, String> written = new HashMap<>();
    for (String word : argv) {
      String asked = CommandSyntax.dashes(word.replaceFirst("(?s)=.*", ""));
      for (Flag flag : Flags.all()) {
        for (String name : flag.names()) {
          if (CommandSyntax.dashes(name).equals(asked)) {
            add(written, flag, name);
          }
        }
      }
    }
    return written;
  }

  private static void add(Map<String, String> written, Flag flag, String name) {
    written.putIfAbsent(flag.setting().name(), name);
    if (flag.value() != null) {
      written.putIfAbsent(flag.setting().with(flag.value()), name);
      return;
    }
    for (Flag other : Flags.of(flag.setting())) {
      if (other.value() != null) {
        String pair = flag.setting().with(other.value()); // "offload model"
        written.putIfAbsent(pair, name + pair.substring(flag.setting().name().length()));
      }
    }
  }

  /**
   * {@code sentence} with flags in the place of settings, but for those in a JSON file, which keep
   * its names.
   *
   * @param argv the command line: where it has one of several flags for a setting, that is named
   */
  public static String of(String sentence, List<String> argv) {
    Map<String, String> written = written(argv);
    return NAMED
        .matcher(sentence)
        .replaceAll(
            named ->
                Matcher.quoteReplacement(
                    named.start() > 0 && sentence.contains(".json")
                        ? named.group()
                        : flag(named.group(1), written)));
  }

  private static String flag(String setting, Map<String, String> written) {
    return written.getOrDefault(setting, Objects.requireNonNull(SPELLINGS.get(setting)));
  }
}
