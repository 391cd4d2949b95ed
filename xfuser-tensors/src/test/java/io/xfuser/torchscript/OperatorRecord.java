package io.xfuser.torchscript;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import io.xfuser.internal.natives.LoadedLibraries;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * libtorch's own record of the operators that it dispatches, with sizes, strides and types of what
 * they read and write ({@code torch/csrc/profiler/standalone/execution_trace_observer.h}), which
 * Python knows as ExecutionTraceObserver.
 */
final class OperatorRecord {
  private static final String ADD =
      "_ZN5torch8profiler4impl25addExecutionTraceObserverERKNSt7__cxx1112basic_stringIcSt11char_"
          + "traitsIcESaIcEEE";
  private static final String ENABLE = "_ZN5torch8profiler4impl28enableExecutionTraceObserverEv";
  private static final String DISABLE = "_ZN5torch8profiler4impl29disableExecutionTraceObserverEv";
  private static final String REMOVE = "_ZN5torch8profiler4impl28removeExecutionTraceObserverEv";

  private OperatorRecord() {}

  /** The nodes of the record of {@code calls}; other threads' operators are among them. */
  static synchronized JsonNode of(Runnable calls) throws IOException {
    Path file = Files.createTempFile("operators", ".json");
    try {
      NativeLibrary torch =
          NativeLibrary.getInstance(
              LoadedLibraries.file("torch_cpu").orElseThrow(), LoadedLibraries.OPENED);
      if (torch.getFunction(ADD).invokeInt(new Object[] {string(file.toString())}) == 0) {
        throw new IllegalStateException("libtorch records already");
      }
      torch.getFunction(ENABLE).invokeVoid(new Object[0]);
      try {
        calls.run();
      } finally {
        torch.getFunction(DISABLE).invokeVoid(new Object[0]);
        torch.getFunction(REMOVE).invokeVoid(new Object[0]);
      }
      return new ObjectMapper().readTree(file.toFile()).get("nodes");
    } finally {
      Files.delete(file);
    }
  }

  /** A std::string of libstdc++: where its characters are, how many, how many fit. */
  private static Pointer string(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Memory all = new Memory(32 + bytes.length + 1);
    all.setPointer(0, all.share(32));
    all.setLong(8, bytes.length);
    all.setLong(16, bytes.length);
    all.write(32, bytes, 0, bytes.length);
    all.setByte(32 + bytes.length, (byte) 0);
    return all;
  }
}
