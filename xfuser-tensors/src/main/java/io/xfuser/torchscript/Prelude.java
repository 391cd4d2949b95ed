package io.xfuser.torchscript;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.xfuser.failure.MemoryException;
import io.xfuser.internal.failure.Retried;
import io.xfuser.internal.kernels.FusedKernels;
import io.xfuser.internal.natives.CpuFeatures;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The functions that every program may call. Where libtorch was built with oneDNN, matrix products
 * are fused with what follows them; elsewhere the same functions are made of plain operators. Which
 * types they are computed in, this machine's CPU decides.
 */
final class Prelude {
  private static final String MKL =
      """
      def product(self, x: Tensor, weight: Tensor) -> Tensor:
        return ops.mkl._mkl_linear(x, weight, weight, None, x.size(0))
      """;
  private static final Pattern FUNCTION = Pattern.compile("(?m)^(?=def )");
  private static final Pattern NAME = Pattern.compile("def (\\w+)");
  private static final Pattern CALL = Pattern.compile("\\bself\\.(\\w+)\\(");
  private static final Retried<String> TEXT = new Retried<>(Prelude::choose);
  private static final Retried<Map<String, String>> FUNCTIONS =
      new Retried<>(() -> functions(TEXT.get()));
  private static final Retried<Map<String, String>> FUSED =
      new Retried<>(
          () -> fused(FUNCTIONS.get(), functions(ModuleArchive.read(Prelude.class, "fused.py"))));

  private Prelude() {}

  static String text() {
    return TEXT.get();
  }

  /**
   * Those of its functions that {@code program} calls, and those that they call: faster to load.
   *
   * @param fused whether in the text for threads with {@link FusedKernels}
   */
  static String usedBy(String program, boolean fused) {
    Map<String, String> functions = (fused ? FUSED : FUNCTIONS).get();
    Map<String, String> used = new TreeMap<>();
    Deque<String> texts = new ArrayDeque<>(List.of(program));
    while (!texts.isEmpty()) {
      Matcher call = CALL.matcher(texts.remove());
      while (call.find()) {
        String function = functions.get(call.group(1));
        if (function != null && used.put(call.group(1), function) == null) {
          texts.add(function);
        }
      }
    }
    return String.join("", used.values());
  }

  /** {@code plain}, but those of {@code fused} in their places, and theirs under other names. */
  private static Map<String, String> fused(Map<String, String> plain, Map<String, String> fused) {
    Map<String, String> all = new HashMap<>(plain);
    fused.forEach(
        (name, text) -> {
          String replaced = plain.get(name);
          if (replaced == null) {
            throw new IllegalStateException("fused.py replaces nothing by " + name);
          }
          all.put(name, text);
          all.put("plain_" + name, replaced.replaceFirst("def ", "def plain_"));
        });
    return all;
  }

  /** The functions of a text by name, each with all lines up to the next. */
  private static Map<String, String> functions(String text) {
    Map<String, String> functions = new HashMap<>();
    FUNCTION
        .splitAsStream(text)
        .forEach(
            part -> {
              Matcher name = NAME.matcher(part);
              if (name.lookingAt()) {
                functions.put(name.group(1), part);
              }
            });
    return functions;
  }

  /** The text with {@code products} for matrix products and {@code precision} for its types. */
  static String text(String products, HalfPrecision precision) {
    return ModuleArchive.read(Prelude.class, "prelude.py")
        + "\n"
        + ModuleArchive.read(Prelude.class, "products.py")
        + "\n"
        + ModuleArchive.read(Prelude.class, "wide.py")
        + "\n"
        + ModuleArchive.read(Prelude.class, "int8.py")
        + "\n"
        + ModuleArchive.read(Prelude.class, "linear_plain.py")
        + "\n"
        + products
        + "\n"
        + precision.text()
        + "\n";
  }

  /** A function that programs ask {@code name} of this machine. */
  static String answer(String name, boolean value) {
    return "def " + name + "(self) -> bool:\n  return " + (value ? "True" : "False") + "\n";
  }

  private static String choose() {
    String products = products();
    return text(products, tried(products, HalfPrecision.ofThisMachine()));
  }

  /**
   * {@code precision}, but a type in which libtorch cannot multiply here is widened. What a CPU
   * says of itself need not be all: a libtorch may lack kernels for its instructions, or be kept
   * from them.
   */
  static HalfPrecision tried(String products, HalfPrecision precision) {
    HalfPrecision possible = precision;
    for (ElementType type : List.of(ElementType.BFLOAT16, ElementType.FLOAT16)) {
      if (!precision.widens(type) && !multiplies(text(products, precision), type)) {
        possible = possible.widening(type);
      }
    }
    return possible;
  }

  private static boolean multiplies(String text, ElementType type) {
    Program trial =
        Program.compile("trial.py", text + ModuleArchive.read(Prelude.class, "trial.py"));
    try (NDManager manager = Libtorch.engine().newBaseManager(Device.cpu())) {
      trial.callList(manager, "products", type.scalarType());
      return true;
    } catch (IllegalStateException | MemoryException e) {
      return false;
    }
  }

  static String products() {
    String oneDnn =
        ModuleArchive.read(Prelude.class, "linear_onednn.py")
            + "\n"
            + answer("packs_many_rows", CpuFeatures.ofThisMachine().hasAvx2AtMost())
            + "\n"
            + answer("has_mkl", Program.compileIfKnown("mkl.py", MKL).isPresent());
    String plain = ModuleArchive.read(Prelude.class, "linear_plain.py");
    return Program.compileIfKnown("linear_onednn.py", plain + oneDnn).isPresent()
        ? oneDnn
        : ModuleArchive.read(Prelude.class, "linear_aten.py");
  }
}
