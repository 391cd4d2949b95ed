package io.xfuser.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Where the texts of programs make tensors, and whether they say on which device. */
public final class Factories {
  private static final Pattern FACTORY =
      Pattern.compile(
          "torch\\.(arange|bartlett_window|blackman_window|complex|empty|empty_permuted"
              + "|empty_strided|eye|from_file|full|Generator|hamming_window|hann_window"
              + "|kaiser_window|linspace|logspace|normal|ones|rand|randint|randn|randperm|range"
              + "|scalar_tensor|sparse_\\w+_tensor|tensor|tril_indices|triu_indices|zeros)\\(");

  private static final String GENERATOR = "torch.Generator(";

  private static final Pattern CPU =
      Pattern.compile("torch\\.device\\(|\\.cpu\\(|\\.cuda\\(|\\.to\\(\"|torch\\.cuda");

  private static final Pattern DEFINITION = Pattern.compile("(?m)^def (\\w+)\\(");

  private Factories() {}

  /** The programs below {@code resources}. */
  public static List<Path> programs(Path resources) {
    try (Stream<Path> files = Files.walk(resources)) {
      return files.filter(file -> file.toString().endsWith(".py")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The calls in {@code text} that make a tensor or a generator and name no device. */
  public static List<String> withoutDevice(String text) {
    String code = withoutComments(text);
    List<String> found = new ArrayList<>();
    Matcher call = FACTORY.matcher(code);
    while (call.find()) {
      String whole = code.substring(call.start(), end(code, call.end()));
      if (!whole.contains("device=")) {
        found.add(whole);
      }
    }
    return found;
  }

  /**
   * The calls in {@code text} that make a generator elsewhere than on the CPU, or may: TorchScript
   * has no others ({@code at::make_generator_for_device}).
   */
  public static List<String> generatorsElsewhere(String text) {
    String code = withoutComments(text);
    List<String> found = new ArrayList<>();
    for (int at = code.indexOf(GENERATOR); at >= 0; at = code.indexOf(GENERATOR, at + 1)) {
      String whole = code.substring(at, end(code, at + GENERATOR.length()));
      if (!whole.contains("device=torch.device(\"cpu\")")) {
        found.add(whole);
      }
    }
    return found;
  }

  /** The functions of {@code text} that name a device instead of taking a tensor's. */
  public static Set<String> thatNameDevices(String text) {
    String code = withoutComments(text);
    Set<String> found = new TreeSet<>();
    Matcher place = CPU.matcher(code);
    while (place.find()) {
      String function = "";
      Matcher definition = DEFINITION.matcher(code.substring(0, place.start()));
      while (definition.find()) {
        function = definition.group(1);
      }
      found.add(function);
    }
    return found;
  }

  private static String withoutComments(String text) {
    return text.replaceAll("#[^\\n]*", "");
  }

  /** Where the parenthesis that is open before {@code from} closes. */
  private static int end(String code, int from) {
    int depth = 1;
    int at = from;
    while (depth > 0) {
      char c = code.charAt(at++);
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    return at;
  }
}
