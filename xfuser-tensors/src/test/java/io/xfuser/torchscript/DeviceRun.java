package io.xfuser.torchscript;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Runs the functions of a program on a device that has no memory ({@code meta}), where libtorch
 * computes shapes and devices only. A tensor made on another device shows as an error, or among the
 * results. What a function does on such a device is what it does on CUDA, but for operators that
 * exist there alone. The same calls run on a CPU, which shows that they are right, and on a GPU.
 */
public final class DeviceRun {
  /** Operators that libtorch lacks on this device, and what stands in for them. */
  private static final Map<String, String> STAND_INS =
      Map.ofEntries(
          Map.entry("index_select", "index_select"),
          Map.entry("where", "where"),
          Map.entry("relu", "relu"),
          Map.entry("abs", "abs"),
          Map.entry("log_sigmoid", "log_sigmoid"),
          Map.entry("floor_divide", "floor_divide"),
          Map.entry("embedding", "embedding"),
          Map.entry("conv2d", "conv2d"),
          Map.entry("conv3d", "conv3d"),
          Map.entry("var_mean", "var_mean"),
          Map.entry("layer_norm", "layer_norm"),
          Map.entry("group_norm", "group_norm"),
          Map.entry("logsumexp", "logsumexp"),
          Map.entry("scaled_dot_product_attention", "attention"),
          Map.entry("_scaled_dot_product_attention_math", "math"),
          Map.entry("_scaled_dot_product_flash_attention", "flash"),
          Map.entry("_scaled_dot_product_efficient_attention", "efficient"),
          Map.entry("_scaled_dot_product_cudnn_attention", "cudnn"));

  private static final HalfPrecision WIDE = new HalfPrecision(true, true);
  private static final Pattern FUNCTION = Pattern.compile("(?ms)^def (\\w+)\\(.*?(?=^def |\\z)");
  private static final Pattern CALLED = Pattern.compile("self\\.(\\w+)\\(");

  private final String shared;
  private final String text;
  private final String calls;
  private boolean ownKernels;

  private DeviceRun(String shared, String text, String calls) {
    this.shared = shared;
    this.text = text;
    this.calls = calls;
  }

  /**
   * Of one of the texts of a program.
   *
   * @param owner is where {@code resources} are found
   * @param resources the program; it is about the last of them
   * @param calls the text of {@code calls(self, like: Tensor) -> List[Tensor]}, which runs the
   *     functions on tensors of the device of {@code like}
   */
  public static DeviceRun of(Class<?> owner, List<String> resources, String calls) {
    StringBuilder shared = new StringBuilder();
    int last = resources.size() - 1;
    for (String resource : resources.subList(0, last)) {
      shared.append(ModuleArchive.read(owner, resource)).append('\n');
    }
    return new DeviceRun(
        shared.toString(), ModuleArchive.read(owner, resources.get(last)) + "\n", calls);
  }

  /** Of the functions that every program has. */
  public static DeviceRun ofPrelude(String calls) {
    return new DeviceRun("", "", calls);
  }

  /** The same with another text in the place of a part of the program's. */
  public DeviceRun with(String part, String other) {
    assertThat(text).contains(part);
    return new DeviceRun(shared, text.replace(part, other), calls);
  }

  /** The same as threads run it that have kernels of their own, for which others stand in. */
  public DeviceRun withOwnKernels() {
    DeviceRun run = new DeviceRun(shared, text, calls);
    run.ownKernels = true;
    return run;
  }

  /**
   * Asserts that nothing leaves a device without memory, and that all functions are called but
   * {@code others}.
   */
  public void stays(String others) {
    assertThat(strays("meta")).isZero();
    assertThat(String.join(" ", notCalled())).isEqualTo(others);
  }

  /**
   * Asserts that nothing but fp32 is multiplied where a CPU multiplies {@code type} in fp32, and
   * that {@code type} is where it does not, but for sums of attention.
   */
  public void multiplies(ElementType type) {
    runOnCpu(type, WIDE, 6);
    multipliesNarrow(type);
  }

  /** Asserts the second half of that, by the calls, which the CPU has run then. */
  public void multipliesNarrow(ElementType type) {
    runOnCpu(type, new HalfPrecision(false, false), type.scalarType());
  }

  /** What the calls multiply on a CPU, with plain operators, which every libtorch has. */
  private void runOnCpu(ElementType type, HalfPrecision precision, int multiplied) {
    String aten = ModuleArchive.read(Prelude.class, "linear_aten.py");
    String watching =
        ModuleArchive.read(DeviceRun.class, "watched_products.py")
            + ModuleArchive.read(DeviceRun.class, "/io/xfuser/devices/tensors_of.py")
            + "\ndef multiplied(self) -> int:\n  return "
            + multiplied
            + "\n"
            + calls;
    String prelude = usedBy(shared + text + watching, Prelude.text(aten, precision));
    String watched = ProductOperators.watched(prelude + shared + text);
    Program program = Program.compile(type + " as " + multiplied, watched + watching);
    assertThat(program.callLong("count", type.scalarType())).isPositive();
  }

  /**
   * Asserts that the branches for other devices, run on the CPU, compute what its own do: in fp32
   * but for the order of sums, in bf16 but for what is rounded in between.
   */
  public void computesTheSameElsewhere() {
    String aten = ModuleArchive.read(Prelude.class, "linear_aten.py");
    String ours = usedBy(shared + text + varied(), Prelude.text(aten, WIDE));
    String elsewhere =
        (ours + shared + text)
            .replaceAll("(?<!\\bq)\\.is_cpu(?! and \\()", ".is_cuda") // but types and attention
            .replace("torch._addmm_activation(", "self.fused_activation("); // another GELU on CPUs
    assertThat(elsewhere).isNotEqualTo(ours + shared + text);
    Program here = Program.compile("here", ours + shared + text + varied());
    Program there = Program.compile("elsewhere", elsewhere + varied());
    checkAlike(here, there, ElementType.FLOAT32, 1e-5);
    checkAlike(here, there, ElementType.BFLOAT16, 0.02);
  }

  private static void checkAlike(
      Program here, Program elsewhere, ElementType type, double tolerance) {
    try (NDManager manager = Torch.newManager()) {
      NDList expected = here.callList(manager, "varied", type.scalarType());
      NDList found = elsewhere.callList(manager, "varied", type.scalarType());
      assertThat(found).hasSameSizeAs(expected).isNotEmpty();
      for (int i = 0; i < found.size(); i++) {
        float[] these = found.get(i).toFloatArray();
        float[] those = expected.get(i).toFloatArray();
        assertThat(these).as("%s, result %d", type, i).hasSameSizeAs(those);
        double size = 0;
        double difference = 0;
        for (int j = 0; j < these.length; j++) {
          size += (double) those[j] * those[j];
          difference += Math.pow((double) these[j] - those[j], 2);
        }
        assertThat(Math.sqrt(difference))
            .as("%s, result %d", type, i)
            .isLessThanOrEqualTo(tolerance * Math.sqrt(size) + 1e-6);
      }
    }
  }

  /** The calls on tensors of many values. */
  private String varied() {
    String made =
        ModuleArchive.read(DeviceRun.class, "/io/xfuser/devices/tensors_of.py")
            .replace(
                "torch.ones(shape, dtype=like.dtype, ", "self.waves(shape, dtype=like.dtype, ");
    return ModuleArchive.read(DeviceRun.class, "elsewhere.py") + made + calls;
  }

  /** How many results of the calls are not on {@code device}. */
  public long strays(String device) {
    return on(device).callLong("strays", device);
  }

  /**
   * What {@code functions} move when {@code call} runs, one of the calls, which takes nothing and
   * gives an int.
   */
  public Traffic traffic(String call, String... functions) throws IOException {
    Program program = on("meta");
    return Traffic.of(OperatorRecord.of(() -> program.callLong(call)), Set.of(functions));
  }

  private Program on(String device) {
    String others =
        ModuleArchive.read(DeviceRun.class, "meta_kernels.py")
            + ModuleArchive.read(DeviceRun.class, "/io/xfuser/devices/tensors_of.py")
            + calls;
    String prelude = Prelude.usedBy(shared + text + others, ownKernels);
    String ours = ownKernels ? prelude.replace("ops.xfuser.", "self.meta_own_") : prelude;
    ours += shared + text;
    if (device.equals("meta")) {
      for (Map.Entry<String, String> standIn : STAND_INS.entrySet()) {
        ours =
            ours.replace(
                "torch." + standIn.getKey() + "(", "self.meta_" + standIn.getValue() + "(");
      }
    }
    return Program.compile("calls on " + device, ours + others);
  }

  /**
   * The functions of {@code prelude} that {@code program} calls, and those that they call: faster
   * to compile.
   */
  public static String usedBy(String program, String prelude) {
    List<String> own = functions(program).stream().map(function -> function.group(1)).toList();
    Set<String> used = reached(program + prelude, own);
    return functions(prelude).stream()
        .filter(function -> used.contains(function.group(1)))
        .map(MatchResult::group)
        .collect(Collectors.joining());
  }

  /** The functions that no call reaches. */
  public Set<String> notCalled() {
    Set<String> left = new TreeSet<>();
    functions(text.isEmpty() ? Prelude.text() : text)
        .forEach(function -> left.add(function.group(1)));
    left.removeAll(reached(Prelude.text() + shared + text + calls, List.of("calls")));
    return left;
  }

  /** The functions of {@code all} that those named {@code from} call, and they themselves. */
  private static Set<String> reached(String all, List<String> from) {
    Map<String, Set<String>> callees = new HashMap<>();
    for (MatchResult function : functions(all)) {
      Set<String> names = new HashSet<>();
      CALLED.matcher(function.group()).results().forEach(call -> names.add(call.group(1)));
      callees.put(function.group(1), names);
    }
    Deque<String> reached = new ArrayDeque<>(from);
    Set<String> seen = new HashSet<>();
    while (!reached.isEmpty()) {
      String function = reached.pop();
      if (seen.add(function)) {
        reached.addAll(callees.getOrDefault(function, Set.of()));
      }
    }
    return seen;
  }

  private static List<MatchResult> functions(String text) {
    Matcher matcher = FUNCTION.matcher(text);
    return matcher.results().toList();
  }
}
