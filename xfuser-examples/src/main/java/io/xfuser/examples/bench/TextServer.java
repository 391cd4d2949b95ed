package io.xfuser.examples.bench;

import ai.djl.ndarray.NDManager;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.Placement;
import io.xfuser.weights.Share;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Encodes a prompt each time it is told to, from its words to hidden states, so that {@code
 * scripts/bench/step} can alternate it with transformers, by the commands of {@link Served}.
 */
@Command(name = "text-server", mixinStandardHelpOptions = true)
public final class TextServer implements Callable<Integer> {
  @Option(names = "--directory", required = true, description = "the pipeline's directory")
  private Path directory = Path.of("");

  @Option(names = "--prompt", required = true, description = "a file that has it")
  private Path prompt = Path.of("");

  @Option(names = "--tokens", required = true, description = "where it is cut")
  private int tokens;

  @Option(names = "--dtype", required = true, description = "float32, bfloat16 or float16")
  private String dtype = "";

  @Option(names = "--threads", required = true, description = "of the one rank that encodes")
  private int threads;

  /** Runs until standard input ends. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new TextServer()).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    Torch.prepareThread(threads);
    ElementType type = ElementType.valueOf(dtype.toUpperCase(Locale.ROOT));
    TextRequest request =
        TextRequest.of(
            List.of(Files.readString(prompt)), new TextEncoder.TextOptions(tokens, false));
    try (BenchModel model = BenchModel.open(directory, type);
        TextEncoder encoder = model.pipeline().model().textEncoder(Placement.CPU, Share.WHOLE);
        NDManager manager = Torch.newManager()) {
      Served.Variant serial =
          owner -> Objects.requireNonNull(encoder.encode(owner, request).get("prompt_embeds"));
      Served.answer(manager, Map.of("serial", serial));
    }
    return 0;
  }
}
