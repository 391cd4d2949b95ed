package io.xfuser.torchscript;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import io.xfuser.internal.failure.Retried;
import io.xfuser.internal.kernels.FusedKernels;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Functions on tensors, written as TorchScript text and run by libtorch.
 *
 * <p>The text is a resource with functions {@code def name(self, x: Tensor, n: int) -> Tensor:} at
 * the left margin; those of {@code prelude.py} beside this class may be called as {@code
 * self.linear(…)}, and are joined to every program that does. A program holds no tensors, so all
 * threads of a process share one.
 *
 * <p>Any thread may call. It is left without libtorch's profiling executor, which DJL's own models
 * would use there otherwise; a thread that computes more than a little wants {@link
 * Torch#prepareThread} too.
 *
 * <p>Arguments: {@link NDArray} (Tensor), {@link TensorMap} or a map of NDArrays by String
 * (Dict[str, Tensor]), a list of NDArrays (List[Tensor]), Integer and Long (int), Double and Float
 * (float), Boolean, String, {@code long[]} (List[int]) and {@code double[]} (List[float]).
 */
public final class Program {
  private final String name;
  private final Retried<PtSymbolBlock> module;
  private final Retried<PtSymbolBlock> fused;

  /** {@code text} is asked whether for a thread with {@link FusedKernels}. */
  Program(String name, Function<Boolean, String> text) {
    this.name = name;
    this.module = new Retried<>(() -> compileModule(name, text.apply(false)));
    this.fused =
        new Retried<>(
            () -> {
              String own = text.apply(true);
              return own.equals(text.apply(false)) ? module.get() : compileModule(name, own);
            });
  }

  /**
   * The program with the text of {@code resources}, found beside {@code owner}. Nothing is read or
   * compiled before the first call, and again at each call until that has succeeded: a failure that
   * passes, of libtorch's libraries for example, does not outlive itself. What a call then throws:
   * IllegalArgumentException if a resource does not exist, IllegalStateException if libtorch
   * rejects the text, PlatformException if libtorch cannot be loaded.
   */
  public static Program load(Class<?> owner, String... resources) {
    return new Program(
        owner.getSimpleName() + List.of(resources),
        fused -> {
          StringBuilder text = new StringBuilder();
          for (String resource : resources) {
            text.append(ModuleArchive.read(owner, resource)).append('\n');
          }
          return Prelude.usedBy(text.toString(), fused) + text;
        });
  }

  /** The program with this text, compiled at once. */
  public static Program compile(String name, String text) {
    Program program = new Program(name, fused -> text);
    program.module.get();
    return program;
  }

  /**
   * The program with the text of {@code resource} beside {@code owner}, compiled at once; nothing
   * if libtorch does not know an operator in it. Any other failure is thrown: it says nothing of
   * the operators.
   */
  public static Optional<Program> loadIfKnown(Class<?> owner, String resource) {
    return compileIfKnown(resource, ModuleArchive.read(owner, resource));
  }

  /** The same with this text. */
  static Optional<Program> compileIfKnown(String name, String text) {
    try {
      return Optional.of(compile(name, text));
    } catch (IllegalStateException e) {
      if (String.valueOf(e.getMessage()).contains("Unknown builtin op")) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static PtSymbolBlock compileModule(String name, String text) {
    Engine engine = Libtorch.engine();
    try {
      byte[] archive = ModuleArchive.of(text);
      PtNDManager manager = (PtNDManager) engine.newBaseManager(Device.cpu());
      return JniUtils.loadModule(manager, new ByteArrayInputStream(archive), false, false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      throw LibtorchError.of("libtorch rejects the program " + name, e);
    }
  }

  /** Runs {@code function}, which returns one tensor; it will be owned by {@code owner}. */
  public NDArray call(NDManager owner, String function, Object... arguments) {
    try (IValue result = run(function, arguments)) {
      return result.toTensor((PtNDManager) owner);
    }
  }

  /** Runs {@code function}, which returns a list or tuple of tensors, owned by {@code owner}. */
  public NDList callList(NDManager owner, String function, Object... arguments) {
    try (IValue result = run(function, arguments)) {
      return result.toNDList((PtNDManager) owner);
    }
  }

  /** Runs {@code function}, which returns an int. */
  public long callLong(String function, Object... arguments) {
    try (IValue result = run(function, arguments)) {
      return result.toLong();
    }
  }

  /** Runs {@code function}, which returns a float. */
  public double callDouble(String function, Object... arguments) {
    try (IValue result = run(function, arguments)) {
      return result.toDouble();
    }
  }

  /** Runs {@code function}, which returns an object; the caller closes it. */
  public IValue callValue(String function, Object... arguments) {
    return run(function, arguments);
  }

  private IValue run(String function, Object... arguments) {
    Optional<FusedKernels> kernels = FusedKernels.ofThread();
    PtSymbolBlock compiled = (kernels.isPresent() ? fused : module).get();
    IValue[] values = new IValue[arguments.length];
    try {
      for (int i = 0; i < arguments.length; i++) {
        values[i] = toValue(arguments[i]);
      }
      runAsWritten();
      IValue result = IValueUtils.runMethod(compiled, function, values);
      Optional<RuntimeException> failure = kernels.flatMap(FusedKernels::takeFailure);
      if (failure.isPresent()) {
        result.close();
        throw failure.get();
      }
      return result;
    } catch (RuntimeException e) {
      throw LibtorchError.of(
          name + "." + function, kernels.flatMap(FusedKernels::takeFailure).orElse(e));
    } finally {
      for (int i = 0; i < arguments.length; i++) {
        if (values[i] != null && !isKept(arguments[i])) {
          values[i].close();
        }
      }
    }
  }

  /**
   * Keeps the calling thread from libtorch's profiling executor, which may change kernels between
   * two equal calls. One call by any thread that has it would fix the plan that it makes for all
   * threads and for good. Whoever calls may have switched it on again, and costs of this are under
   * 0.1 µs, so it is done for each call.
   */
  private static void runAsWritten() {
    JniUtils.setGraphExecutorOptimize(false);
  }

  /** Whether its value outlives the call. */
  private static boolean isKept(Object argument) {
    return argument instanceof TensorMap || argument instanceof IValue;
  }

  private static IValue toValue(Object argument) {
    if (argument instanceof PtNDArray tensor) {
      return IValue.from(tensor);
    } else if (argument instanceof TensorMap map) {
      return map.value();
    } else if (argument instanceof IValue object) {
      return object;
    } else if (argument instanceof Integer number) {
      return IValue.from(number.longValue());
    } else if (argument instanceof Long number) {
      return IValue.from(number.longValue());
    } else if (argument instanceof Double number) {
      return IValue.from(number.doubleValue());
    } else if (argument instanceof Float number) {
      return IValue.from(number.doubleValue());
    } else if (argument instanceof Boolean flag) {
      return IValue.from(flag.booleanValue());
    } else if (argument instanceof String string) {
      return IValue.from(string);
    } else if (argument instanceof long[] numbers) {
      return IValue.listFrom(numbers);
    } else if (argument instanceof double[] numbers) {
      return IValue.listFrom(numbers);
    } else if (argument instanceof Map<?, ?> map) {
      Map<String, NDArray> tensors = new LinkedHashMap<>();
      map.forEach((name, tensor) -> tensors.put((String) name, (NDArray) tensor));
      return TensorMap.valueOf(tensors);
    } else if (argument instanceof List<?> list) {
      return IValue.listFrom(list.stream().map(PtNDArray.class::cast).toArray(PtNDArray[]::new));
    }
    throw new IllegalArgumentException("no TorchScript value for " + argument.getClass());
  }
}
