package io.xfuser.examples.gpucheck;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where and on what the experiments run.
 *
 * @param cuda whether on GPUs; else they are tried in a small form on the CPU
 * @param root the folder of a checkout, or of a pack, which has the tests' files in the same places
 * @param tests the class path of the tests, besides this JVM's own, or nothing
 * @param pipelines the tiny pipelines that are held to the laws
 */
record Setup(boolean cuda, Path root, String tests, List<String> pipelines) {
  /** For {@code --device}. */
  String device() {
    return cuda ? "cuda" : "cpu";
  }

  /** For what runs on one device that ranks share. */
  String shared() {
    return cuda ? "cuda:0" : "cpu";
  }

  /** Where relative paths of the models' tests lead. */
  Path models() {
    return root.resolve("xfuser-models");
  }

  /** A tiny pipeline's directory. */
  Path pipeline(String name) {
    return models().resolve("src/test/resources/fixtures").resolve(name);
  }

  /** This JVM's class path in absolute paths, the tests' after it. */
  String classPath() {
    List<String> entries = new ArrayList<>();
    for (String path : List.of(System.getProperty("java.class.path"), tests)) {
      for (String entry : path.split(File.pathSeparator, -1)) {
        if (!entry.isEmpty()) {
          entries.add(Path.of(entry).toAbsolutePath().toString());
        }
      }
    }
    return String.join(File.pathSeparator, entries);
  }
}
