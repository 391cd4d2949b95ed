package io.xfuser.pipeline;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.torchscript.SharedTensor;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.RunTrace;
import io.xfuser.weights.SafeTensorsWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of a request: the pictures that this process decoded (all of them where its ranks are
 * all the ranks), or tensors in their place. Only tensors need closing.
 */
public final class Generation implements AutoCloseable {
  private final Map<Integer, Image> images;
  private final @Nullable NDManager manager;
  private final @Nullable NDArray tensor;
  private final int firstImage;
  private final Output output;
  private final RankResult.Account account;

  /**
   * How files are named and what a tensor holds.
   *
   * @param prefix model and degrees
   * @param key the tensor's name, {@code latents} or {@code images}
   * @param frames of each video, 1 for pictures
   */
  record Output(String prefix, String key, int frames) {
    private String name(int image) {
      return frames == 1
          ? prefix + "_" + image
          : "%s_%d_%04d".formatted(prefix, image / frames, image % frames);
    }
  }

  private Generation(
      Map<Integer, Image> images,
      @Nullable NDManager manager,
      @Nullable NDArray tensor,
      int firstImage,
      Output output,
      RankResult.Account account) {
    this.images = images;
    this.manager = manager;
    this.tensor = tensor;
    this.firstImage = firstImage;
    this.output = output;
    this.account = account;
  }

  /** From what this process's ranks brought back. */
  static Generation of(List<RankResult> results, Output output) {
    List<RankResult> ordered =
        results.stream().sorted(Comparator.comparingInt(RankResult::firstImage)).toList();
    Map<Integer, Image> images = new TreeMap<>();
    List<SharedTensor> tensors = new ArrayList<>();
    for (RankResult result : ordered) {
      for (int i = 0; i < result.images().size(); i++) {
        images.put(result.firstImage() * output.frames() + i, result.images().get(i));
      }
      SharedTensor part = result.tensor();
      if (part != null) {
        tensors.add(part);
      }
    }
    RankResult.Account account = ordered.get(0).account();
    if (tensors.isEmpty()) {
      return new Generation(images, null, null, 0, output, account);
    }
    int first =
        ordered.stream()
            .filter(result -> result.tensor() != null)
            .mapToInt(RankResult::firstImage)
            .min()
            .orElse(0);
    NDManager manager = Torch.newManager();
    List<NDArray> parts = tensors.stream().map(part -> part.receive(manager)).toList();
    NDArray whole = Torch.concat(manager, parts, 0);
    return new Generation(images, manager, whole, first, output, account);
  }

  /**
   * The pictures of this process, in order, for videos frame by frame; empty where tensors were
   * asked for.
   */
  public List<Image> images() {
    return List.copyOf(images.values());
  }

  /**
   * The videos of this process, each a list of its frames; empty for pictures, and where tensors
   * were asked for.
   *
   * @return the frames by the name that {@link #save} gives the video's files
   */
  public Map<String, List<Image>> videos() {
    Map<String, List<Image>> videos = new LinkedHashMap<>();
    if (output.frames() > 1) {
      images.forEach(
          (index, image) ->
              videos
                  .computeIfAbsent(
                      output.prefix() + "_" + index / output.frames(), key -> new ArrayList<>())
                  .add(image));
    }
    return videos;
  }

  /**
   * Latents in diffusers' layout, usually (B, c, h, w), or pixels (B, 3, H, W), for videos (B, F,
   * 3, H, W), of 0 to 1, where those were asked for; valid until this is closed.
   *
   * @throws IllegalStateException if this process has none
   */
  public NDArray tensor() {
    if (tensor == null) {
      throw new IllegalStateException("this process decoded no tensors; were pictures asked for?");
    }
    return tensor;
  }

  /** What the run took. */
  public RunReport report() {
    return account.report();
  }

  /**
   * What every rank did when.
   *
   * @throws IllegalStateException if it was not recorded: {@link XDiTParallel#trace} does
   */
  public RunTrace trace() {
    RunTrace trace = account.trace();
    if (trace == null) {
      throw new IllegalStateException("this generation was not traced");
    }
    return trace;
  }

  /**
   * Writes the pictures of this process as {@code <model>_<degrees>_<index>.png}, the frames of
   * videos as {@code <model>_<degrees>_<index>_<frame>.png}, or tensors as {@code .safetensors}
   * files. A file is there whole or not at all.
   *
   * @return the files, in order
   */
  public List<Path> save(Path directory) throws IOException {
    List<Path> files = new ArrayList<>();
    if (tensor != null) {
      Files.createDirectories(directory);
      saveTensors(directory, tensor, files);
    }
    for (Map.Entry<Integer, Image> entry : images.entrySet()) {
      Files.createDirectories(directory);
      Path file = directory.resolve(output.name(entry.getKey()) + ".png");
      Path part = directory.resolve("." + file.getFileName() + ".part");
      try {
        try (OutputStream out = Files.newOutputStream(part)) {
          entry.getValue().save(out, "png");
        }
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(part);
      }
      files.add(file);
    }
    return files;
  }

  private void saveTensors(Path directory, NDArray all, List<Path> files) throws IOException {
    try (NDManager scope = all.getManager().newSubManager()) {
      for (int i = 0; i < all.getShape().get(0); i++) {
        Path file = directory.resolve(output.prefix() + "_" + (firstImage + i) + ".safetensors");
        NDArray one = Torch.contiguous(scope, Torch.slice(scope, all, 0, i, i + 1L)); // (1, …)
        SafeTensorsWriter.write(file, Map.of(output.key(), one));
        files.add(file);
      }
    }
  }

  @Override
  public void close() {
    if (manager != null) {
      manager.close();
    }
  }
}
