package io.xfuser.examples.realsize;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Writes PixArt-Σ-XL's directory: its public configuration, and random weights in files named and
 * cut as the published ones.
 */
@Command(name = "write", description = "Writes the directory, unless it is there.")
final class Write implements Callable<Integer> {
  private static final JsonMapper JSON = new JsonMapper();

  /** The directory is complete where it has this. */
  private static final String INDEX = "model_index.json";

  @Option(names = "--folder", required = true)
  private Path folder = Path.of("");

  @Option(names = "--tokenizer", required = true, description = "a folder with a T5 tokenizer")
  private Path tokenizer = Path.of("");

  @Option(names = "--layers", description = "of T5 and the transformer; all if not given")
  private @Nullable Integer layers;

  @Option(names = "--narrow", description = "few heads and channels, to try the script")
  private boolean narrow;

  @Override
  public Integer call() throws IOException {
    if (Files.exists(folder.resolve(INDEX))) {
      return 0;
    }
    ObjectNode files = read("/io/xfuser/examples/gpucheck/pixart_sigma.json");
    files.set("text_encoder/config.json", read("t5_xxl.json"));
    files.set("tokenizer", JSON.createObjectNode());
    change(files);
    for (Map.Entry<String, JsonNode> file : files.properties()) {
      Path path = folder.resolve(file.getKey());
      Files.createDirectories(Objects.requireNonNull(path.getParent()));
      if (file.getKey().endsWith("config.json")) {
        JSON.writeValue(path.toFile(), file.getValue());
      }
    }
    copyTokenizer();
    weights("text_encoder", "model", PixArtTensors.text(files.get("text_encoder/config.json")));
    weights(
        "transformer",
        "diffusion_pytorch_model",
        PixArtTensors.transformer(files.get("transformer/config.json")));
    weights("vae", "diffusion_pytorch_model", PixArtTensors.vae(files.get("vae/config.json")));
    JSON.writeValue(folder.resolve(INDEX).toFile(), files.get(INDEX));
    return 0;
  }

  private static ObjectNode read(String resource) throws IOException {
    try (InputStream in = Write.class.getResourceAsStream(resource)) {
      return (ObjectNode) JSON.readTree(Objects.requireNonNull(in, resource));
    }
  }

  private void change(ObjectNode files) {
    ObjectNode text = (ObjectNode) files.get("text_encoder/config.json");
    ObjectNode transformer = (ObjectNode) files.get("transformer/config.json");
    if (layers != null) {
      text.put("num_layers", layers);
      transformer.put("num_layers", layers);
    }
    if (narrow) {
      text.put("d_model", 64).put("num_heads", 2).put("d_ff", 96).put("vocab_size", 2000);
      transformer.put("num_attention_heads", 2).put("caption_channels", 64);
      transformer.put("cross_attention_dim", 2 * transformer.get("attention_head_dim").asInt());
      ObjectNode vae = (ObjectNode) files.get("vae/config.json");
      vae.set("block_out_channels", JSON.valueToTree(List.of(32, 32, 64, 64)));
    }
  }

  private void copyTokenizer() throws IOException {
    Path target = folder.resolve("tokenizer");
    Files.createDirectories(target);
    try (Stream<Path> files = Files.list(tokenizer)) {
      for (Path file : files.toList()) {
        Files.copy(file, target.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private void weights(String component, String name, List<RandomTensor> tensors)
      throws IOException {
    double bytes = tensors.stream().mapToLong(RandomTensor::bytes).sum();
    System.err.printf("real_size: writing %s, %.2f GB ...%n", component, bytes / 1e9);
    RandomShards.write(folder.resolve(component), name, tensors);
  }
}
