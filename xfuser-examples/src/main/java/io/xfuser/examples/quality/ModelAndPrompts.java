package io.xfuser.examples.quality;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** What a measurement of pictures is of, and where its numbers go. */
final class ModelAndPrompts {
  @Option(names = "--model", required = true, description = "A pipeline in diffusers' layout.")
  private Path model = Path.of("");

  @Option(names = "--prompts", required = true, description = "A file with a prompt per line.")
  private Path prompts = Path.of("");

  @Option(names = "--output", required = true, description = "The JSON file to write.")
  private Path output = Path.of("");

  Path model() {
    return model;
  }

  Path output() {
    return output;
  }

  List<String> prompts() throws IOException {
    return Files.readAllLines(prompts).stream()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .toList();
  }
}
