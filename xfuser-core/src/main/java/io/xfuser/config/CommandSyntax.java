package io.xfuser.config;

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

  /** A syntax whose {@link #parse} fills {@code flags}. */
  CommandSyntax(Flags flags) {
    CommandSpec spec = CommandSpec.forAnnotatedObject(flags);
    group(spec, "model", "Model:");
    group(spec, "input", "Input:");
    group(spec, "parallel", "Parallel processing:");
    group(spec, "runtime", "Runtime:");
    group(spec, "output", "Output:");
    spec.addMixin("foreign", ForeignFlags.spec());
    group(
        spec,
        "foreign",
        "xDiT's flags that are not supported yet, taken with their defaults only:");
    line =
        new CommandLine(spec)
            .setExpandAtFiles(false) // a prompt may start with @
            .setPosixClusteredShortOptionsAllowed(false)
            .setUsageHelpWidth(HELP_WIDTH)
            .setUsageHelpLongOptionsMaxWidth(NAME_WIDTH);
    line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, this::optionsByGroup);
  }

  private void group(CommandSpec spec, String mixin, String heading) {
    CommandSpec flags = spec.mixins().get(mixin);
    if (flags == null) {
      throw new IllegalStateException("the flags have no group " + mixin);
    }
    groups.put(heading, List.copyOf(flags.options()));
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
   * @throws ArgumentException with one sentence
   */
  ParseResult parse(String... argv) {
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

  private static String dashes(String name) {
    return name.replace('_', '-');
  }

  /** How to write a text that begins with dashes, where {@code flag} takes one. */
  private String hint(@Nullable String flag, String text) {
    OptionSpec option = flag == null ? null : line.getCommandSpec().findOption(flag);
    return option != null && option.auxiliaryTypes()[0].equals(String.class)
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
