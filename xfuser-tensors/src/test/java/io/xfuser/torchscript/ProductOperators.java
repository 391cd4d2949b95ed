package io.xfuser.torchscript;

import io.xfuser.testing.Factories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The operators of libtorch that multiply matrices or convolve, and where programs call them. */
public final class ProductOperators {
  /**
   * By their names in {@code torch}, of a tensor's methods and in {@code ops}; and {@code x @ y}.
   */
  private static final Pattern OPERATOR =
      Pattern.compile(
          "(?:\\b(?:torch|ops\\.\\w+)|(?<!\\bself))\\.("
              + "linear|\\w*matmul|mm|bmm|mv|dot|vdot|inner|tensordot|einsum|addmm|addmv|addbmm|baddbmm"
              + "|_\\w*mm\\w*|\\w*_mm|sspaddmm|chain_matmul|linalg_multi_dot|linalg_vecdot|bilinear"
              + "|_trilinear|cdist|matrix_power|linalg_matrix_power|\\w*conv(?:[123]d|_tbc|_transpose\\w*)"
              + "|_?\\w*convolution\\w*|\\w*scaled_dot_product\\w*|\\w*multi_head_attention\\w*"
              + "|_\\w+_pointwise|\\w*(?:lstm|gru|rnn)\\w*|_addmm_activation|\\w*gemm\\w*)(?:_)?\\("
              + "|\\s@\\s");

  private static final Pattern FUNCTION = Pattern.compile("(?ms)^def (\\w+)\\(.*?(?=^def |\\z)");

  private ProductOperators() {}

  /** The operators in the programs below {@code resources}: by file and function. */
  public static Map<String, Set<String>> in(Path resources) throws IOException {
    Map<String, Set<String>> found = new TreeMap<>();
    for (Path program : Factories.programs(resources)) {
      in(Files.readString(program))
          .forEach((name, operators) -> found.put(program.getFileName() + " " + name, operators));
    }
    return found;
  }

  /** The operators in the functions of {@code text}. */
  public static Map<String, Set<String>> in(String text) {
    Map<String, Set<String>> found = new TreeMap<>();
    Matcher functions = FUNCTION.matcher(text.replaceAll("#[^\\n]*", ""));
    for (MatchResult function : functions.results().toList()) {
      Set<String> operators = new TreeSet<>();
      OPERATOR.matcher(function.group()).results().forEach(call -> operators.add(name(call)));
      if (!operators.isEmpty()) {
        found.put(function.group(1), operators);
      }
    }
    return found;
  }

  private static String name(MatchResult call) {
    return call.group(1) == null ? "@" : call.group(1);
  }

  /** {@code text}, whose operators on the CPU are those of {@code watched_products.py}. */
  static String watched(String text) {
    return text.replaceAll(
        "torch\\.(linear|matmul|bmm|conv2d|conv3d|scaled_dot_product_attention"
            + "|_scaled_dot_product_attention_math|_scaled_dot_product_flash_attention_for_cpu)\\(",
        "self.watched_$1(");
  }
}
