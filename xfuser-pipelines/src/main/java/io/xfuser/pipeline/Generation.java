package io.xfuser.pipeline;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.OutputType;
import io.xfuser.internal.report.PngText;
import io.xfuser.internal.report.Provenance;
import io.xfuser.internal.runtime.RankPictures;
import io.xfuser.internal.runtime.RankResult;
import io.xfuser.internal.weights.SafeTensorsWriter;
import io.xfuser.model.GenerationRequest;
import io.xfuser.report.RunReport;
import io.xfuser.torchscript.Torch;
import io.xfuser.trace.RunTrace;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.IntFunction;
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
  private final RankResult account;

  /**
   * How files are named, what a tensor holds, and how it was made.
   *
   * @param prefix model and degrees
   * @param key the tensor's name, {@code latents} or {@code images}
   * @param frames of each video, 1 for pictures
   * @param fps how many of them are shown in a second
   * @param pictures or videos of the whole request, also of other processes
   * @param provenance what files tell of it, by the picture's or video's number in the request
   */
  record Output(
      String prefix,
      String key,
      int frames,
      int fps,
      int pictures,
      IntFunction<Map<String, String>> provenance) {
    /** For what {@code request} makes. */
    static Output of(String prefix, GenerationRequest request, Provenance how) {
      return new Output(
          prefix,
          request.input().outputType() == OutputType.LATENT ? "latents" : "images",
          request.latents().pixelFrames(),
          request.latents().fps(),
          request.images(),
          how::of);
    }

    private String name(int number, int frame) {
      return frames == 1 ? prefix + "_" + number : "%s_%d_%04d".formatted(prefix, number, frame);
    }
  }

  private Generation(
      Map<Integer, Image> images,
      @Nullable NDManager manager,
      @Nullable NDArray tensor,
      int firstImage,
      Output output,
      RankResult account) {
    this.images = images;
    this.manager = manager;
    this.tensor = tensor;
    this.firstImage = firstImage;
    this.output = output;
    this.account = account;
  }

  /** From what this process's ranks brought back. */
  static Generation of(List<RankResult> results, Output output) {
    RankResult account = results.get(0);
    List<RankPictures> ordered =
        results.stream()
            .map(RankResult::pictures)
            .sorted(Comparator.comparingInt(RankPictures::first))
            .toList();
    Map<Integer, Image> images = new TreeMap<>();
    for (RankPictures pictures : ordered) {
      for (int i = 0; i < pictures.images().size(); i++) {
        images.put(pictures.first() * output.frames() + i, pictures.images().get(i));
      }
    }
    List<RankPictures> parts = ordered.stream().filter(part -> part.tensor() != null).toList();
    if (parts.isEmpty()) {
      return new Generation(images, null, null, 0, output, account);
    }
    NDManager manager = Torch.newManager();
    try {
      List<NDArray> tensors =
          parts.stream()
              .map(part -> Objects.requireNonNull(part.tensor()).receive(manager))
              .toList();
      NDArray whole = Torch.concat(manager, tensors, 0);
      return new Generation(images, manager, whole, parts.get(0).first(), output, account);
    } catch (RuntimeException | Error e) {
      manager.close();
      throw e;
    }
  }

  /**
   * This process's pictures in order, videos frame by frame; empty where tensors were asked for.
   */
  public List<Image> images() {
    return List.copyOf(images.values());
  }

  /** The frames of each video; 1 for pictures. */
  public int frames() {
    return output.frames();
  }

  /** How many frames of a video are shown in a second, if nothing else is asked for. */
  public int framesPerSecond() {
    return output.fps();
  }

  /** The number, in the whole request, of the first picture or video that this process has. */
  public int firstPicture() {
    return images.isEmpty() ? firstImage : images.keySet().iterator().next() / output.frames();
  }

  /**
   * The frames of each video of this process, by the name that {@link #save(Path)} gives the files
   * of the first in a folder; empty for pictures, and where tensors were asked for.
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
   * Writes the pictures of this process as {@code <model>_<degrees>_<number>.png}, the frames of
   * videos as {@code <model>_<degrees>_<number>_<frame>.png}, or tensors as {@code .safetensors}
   * files. A file is there whole or not at all, and none takes the place of another: numbers go on
   * after the highest in {@code directory}. Each file tells how it was made: PNG in text chunks,
   * safetensors in its metadata.
   *
   * <p>Where other processes have the rest of the request, each picture has its own number in the
   * request, plus as often the number of all pictures as it takes to be free; {@link #save(Path,
   * int)} numbers them from where all processes agree.
   *
   * @return the files, in order
   */
  public List<Path> save(Path directory) throws IOException {
    int here = tensor == null ? images.size() / output.frames() : (int) tensor.getShape().get(0);
    boolean whole = here == output.pictures();
    return save(directory, whole ? OutputFiles.next(directory, output.prefix()) : 0);
  }

  /**
   * The same with numbers from {@code first} on for the whole request, {@link OutputFiles#next} for
   * example, asked before the request. Where one is taken, as often the number of all pictures is
   * added as it takes.
   */
  public List<Path> save(Path directory, int first) throws IOException {
    List<Path> files = new ArrayList<>();
    if (tensor != null) {
      Files.createDirectories(directory);
      saveTensors(directory, first, tensor, files);
    }
    List<Integer> indices = List.copyOf(images.keySet());
    for (int i = 0; i < indices.size(); i += output.frames()) {
      Files.createDirectories(directory);
      List<Integer> frames = indices.subList(i, i + output.frames());
      int number = first + frames.get(0) / output.frames();
      while (!savePicture(directory, number, frames, files)) {
        number += output.pictures();
      }
    }
    return files;
  }

  /** Writes one picture, or all frames of a video; false if the number is taken. */
  private boolean savePicture(Path directory, int number, List<Integer> frames, List<Path> files)
      throws IOException {
    Map<String, String> texts = output.provenance().apply(frames.get(0) / output.frames());
    for (int frame = 0; frame < frames.size(); frame++) {
      Path file = directory.resolve(output.name(number, frame) + ".png");
      Image image = Objects.requireNonNull(images.get(frames.get(frame)));
      if (!OutputFiles.writeNew(file, part -> Files.write(part, PngText.with(image, texts)))) {
        if (frame == 0) {
          return false;
        }
        throw new FileAlreadyExistsException(file.toString()); // another process writes this video
      }
      files.add(file);
    }
    return true;
  }

  /**
   * What {@link #save(Path)} writes for each of {@link #images}: PNG that tells how it was made.
   */
  public List<byte[]> pngs() {
    List<byte[]> files = new ArrayList<>();
    images.forEach(
        (index, image) ->
            files.add(PngText.with(image, output.provenance().apply(index / output.frames()))));
    return files;
  }

  private void saveTensors(Path directory, int first, NDArray all, List<Path> files)
      throws IOException {
    try (NDManager scope = all.getManager().newSubManager()) {
      for (int i = 0; i < all.getShape().get(0); i++) {
        NDArray one = Torch.contiguous(scope, Torch.slice(scope, all, 0, i, i + 1L)); // (1, …)
        Map<String, String> texts = output.provenance().apply(firstImage + i);
        int number = first + firstImage + i;
        Path file = tensorFile(directory, number);
        while (!OutputFiles.writeNew(
            file, part -> SafeTensorsWriter.write(part, Map.of(output.key(), one), texts))) {
          number += output.pictures();
          file = tensorFile(directory, number);
        }
        files.add(file);
      }
    }
  }

  private Path tensorFile(Path directory, int number) {
    return directory.resolve(output.prefix() + "_" + number + ".safetensors");
  }

  /**
   * How a picture or video was made: what its file tells, by keyword.
   *
   * @param picture its number in the whole request
   */
  public Map<String, String> provenance(int picture) {
    return output.provenance().apply(picture);
  }

  @Override
  public void close() {
    if (manager != null) {
      manager.close();
    }
  }
}
