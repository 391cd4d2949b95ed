package io.xfuser.cli.flags;

import io.xfuser.cli.flags.Flags.Flag;
import io.xfuser.config.ModelConfig;
import io.xfuser.config.Setting;
import io.xfuser.failure.ArgumentException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** How flags are spelt, told apart from texts, and shown by group. */
final class CommandSyntax {
  private static final int HELP_WIDTH = 100;
  private static final int NAME_WIDTH = 46;
  private static final int MOST_WRONG_LETTERS = 3;

  /** Of three letters one may be wrong, of six two. */
  private static final int LETTERS_FOR_A_WRONG_ONE = 3;

  /** What is meant as a flag even if there is no such flag; a prompt of several words is not. */
  private static final Pattern FLAG =
      Pattern.compile("--?[A-Za-z][A-Za-z0-9_-]*(=.*)?", Pattern.DOTALL);

  private final CommandLine line;
  private final Map<String, List<OptionSpec>> groups = new LinkedHashMap<>();
  private final Map<String, Flag> flags = new HashMap<>();

  CommandSyntax() {
    CommandSpec spec = CommandSpec.create().name("xdit");
    spec.usageMessage()
        .sortOptions(false)
        .customSynopsis("xdit [--model MODEL] --prompt TEXT... [FLAGS]")
        .description(
            "Makes pictures from prompts with a diffusion transformer, on one rank or many.")
        .footer(
            "",
            "Dashes and underscores in a flag's name are interchangeable. The number of ranks is"
                + " the product of the degrees, times 2 with --use_cfg_parallel, plus"
                + " --vae_parallel_size.",
            "",
            "xdit serve [--model [NAME=]MODEL]... [FLAGS] answers requests over HTTP until it is"
                + " told to end.",
            "",
            "xdit compare [FLAGS] draws on one rank too, and writes both pictures side by side with"
                + " their difference, PSNR and SSIM.");
    Flags.GROUPS.forEach(
        (heading, members) -> {
          List<OptionSpec> options = members.stream().map(this::option).toList();
          options.forEach(spec::addOption);
          groups.put(heading, options);
        });
    CommandSpec foreign = ForeignFlags.spec();
    spec.addMixin("foreign", foreign);
    groups.put(
        "xDiT's flags that are not supported yet, taken with their defaults only:",
        List.copyOf(foreign.options()));
    line =
        new CommandLine(spec)
            .setExpandAtFiles(false) // a prompt may start with @
            .setPosixClusteredShortOptionsAllowed(false)
            .setUsageHelpWidth(HELP_WIDTH)
            .setUsageHelpLongOptionsMaxWidth(NAME_WIDTH);
    line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, this::optionsByGroup);
  }

  private OptionSpec option(Flag flag) {
    OptionSpec.Builder option =
        OptionSpec.builder(flag.names().toArray(String[]::new))
            .description(flag.description().replace("%", "%%")) // picocli formats it
            .usageHelp(flag.setting() == CommandSettings.HELP)
            .versionHelp(flag.setting() == CommandSettings.VERSION);
    if (flag.value() != null) {
      option.type(boolean.class).arity("0");
    } else {
      boolean several = flag.setting().isList();
      option.type(several ? String[].class : String.class).arity(several ? "1..*" : "1");
      option.paramLabel(flag.setting().unit());
    }
    flag.names().forEach(name -> flags.put(name, flag));
    return option.build();
  }

  private String optionsByGroup(Help help) {
    StringBuilder text = new StringBuilder();
    groups.forEach(
        (heading, options) -> {
          Help.Layout layout = help.createDefaultLayout();
          layout.addOptions(options, help.createDefaultParamLabelRenderer());
          text.append(System.lineSeparator()).append(heading).append(System.lineSeparator());
          text.append(layout);
        });
    return text.toString();
  }

  /** The help text. */
  String usage() {
    return line.getUsageMessage(Help.Ansi.OFF);
  }

  /**
   * Reads {@code argv}.
   *
   * @return what the flags set; of {@code --help} and {@code --version} that alone
   * @throws ArgumentException with one sentence
   */
  Map<Setting<?>, Object> parse(String... argv) {
    ParseResult parsed = parsed(argv);
    if (parsed.isUsageHelpRequested()) {
      return Map.of(CommandSettings.HELP, true);
    }
    if (parsed.isVersionHelpRequested()) {
      return Map.of(CommandSettings.VERSION, true);
    }
    ForeignFlags.refuseOthersThanDefaults(parsed);
    Map<Setting<?>, Object> values = new LinkedHashMap<>();
    for (OptionSpec option : parsed.matchedOptionsSet()) {
      Flag flag = flags.get(option.longestName());
      if (flag != null && !isNothing(flag, option)) {
        Object before = values.put(flag.setting(), flag.read(option.stringValues()));
        if (before != null && !before.equals(values.get(flag.setting()))) {
          throw new ArgumentException(
              flag.setting().with(before) + " and " + flag.name() + " exclude each other");
        }
      }
    }
    return values;
  }

  /** As xDiT reads it, {@code None} and an empty text are no folder. */
  private static boolean isNothing(Flag flag, OptionSpec option) {
    return flag.setting() == ModelConfig.DOWNLOAD_DIR
        && List.of("", ForeignFlags.NONE).contains(option.stringValues().get(0));
  }

  private ParseResult parsed(String... argv) {
    try {
      return line.parseArgs(declaredNames(argv));
    } catch (UnmatchedArgumentException e) {
      throw new ArgumentException("unexpected argument '" + e.getUnmatched().get(0) + "'");
    } catch (ParameterException e) {
      throw new ArgumentException(String.valueOf(e.getMessage()));
    }
  }

  /** {@code argv} with each flag spelt as it is declared, dashes and underscores being one. */
  private String[] declaredNames(String[] argv) {
    Map<String, String> declared = new HashMap<>();
    line.getCommandSpec().optionsMap().keySet().forEach(name -> declared.put(dashes(name), name));
    String[] known = argv.clone();
    for (int i = 0; i < argv.length; i++) {
      if (FLAG.matcher(argv[i]).matches()) {
        int equals = argv[i].indexOf('=');
        String name = equals < 0 ? argv[i] : argv[i].substring(0, equals);
        String declaredName = declared.get(dashes(name));
        if (declaredName == null) {
          throw new ArgumentException(unknown(name, hint(i == 0 ? null : known[i - 1], argv[i])));
        }
        known[i] = declaredName + argv[i].substring(name.length());
      }
    }
    return known;
  }

  /** One spelling for all. */
  static String dashes(String name) {
    return name.replace('_', '-');
  }

  /** How to write a text that begins with dashes, where {@code flag} takes one. */
  private String hint(@Nullable String flag, String text) {
    Flag taking = flag == null ? null : flags.get(flag);
    return taking != null && taking.value() == null && taking.setting().isText()
        ? "; if it is a text for %1$s, write %1$s=%2$s".formatted(flag, text)
        : "";
  }

  private String unknown(String name, String hint) {
    String asked = dashes(name).replaceFirst("^-+", "");
    List<String> nearest = new ArrayList<>();
    int least = Math.min(MOST_WRONG_LETTERS, Math.max(1, asked.length() / LETTERS_FOR_A_WRONG_ONE));
    for (String known : line.getCommandSpec().optionsMap().keySet()) {
      String letters = dashes(known).replaceFirst("^-+", "");
      int distance = letters.length() == 1 ? Integer.MAX_VALUE : editDistance(asked, letters);
      if (distance < least) {
        nearest.clear();
        least = distance;
      }
      if (distance == least) {
        nearest.add(known);
      }
    }
    return "unknown flag "
        + name
        + (nearest.isEmpty() ? hint : "; did you mean " + String.join(" or ", nearest) + "?");
  }

  /** Letters to insert, delete or replace to turn one text into the other (Levenshtein). */
  private static int editDistance(String from, String to) {
    int[] row = new int[to.length() + 1];
    for (int j = 0; j <= to.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int replaced = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[to.length()];
  }
}
