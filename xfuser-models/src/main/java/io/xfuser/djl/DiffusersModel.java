package io.xfuser.djl;

import ai.djl.BaseModel;
import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.Trainer;
import ai.djl.training.TrainingConfig;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.util.PairList;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ClosedException;
import io.xfuser.internal.weights.FileName;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What DJL holds of an open pipeline. Of DJL's contract it keeps what has a meaning: name, folder
 * with its files, element type, predictors, closing; the rest is refused with the reason. Its block
 * is one that no tensor passes.
 */
final class DiffusersModel extends BaseModel {
  private final XDiTParallel ranks;
  private final PairList<String, Shape> input = new PairList<>();
  private final PairList<String, Shape> output = new PairList<>();
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * For {@code ranks}, which it closes.
   *
   * @param name {@code null} = that of the directory
   */
  DiffusersModel(Path directory, @Nullable String name, XDiTParallel ranks, Described described) {
    super(name == null ? directory.toAbsolutePath().normalize().getFileName().toString() : name);
    this.ranks = ranks;
    this.manager = Torch.newManager();
    this.modelDir = directory;
    this.dataType = DataType.valueOf(described.type().name());
    input.add(described.prompts() ? "prompt" : "request", new Shape());
    if (described.prompts()) {
      output.add("image", new Shape(-1, -1, 3));
    } else {
      output.add("generation", new Shape());
    }
    this.block = new PipelineBlock(input);
  }

  /**
   * How a pipeline was opened.
   *
   * @param type the weights' element type
   * @param prompts whether prompts become pictures, not requests generations
   */
  record Described(ElementType type, boolean prompts) {}

  /** A text or a request, which has no shape of its own: a scalar. */
  @Override
  public PairList<String, Shape> describeInput() {
    return input;
  }

  /** A picture, (height, width, channels) as asked for, or a generation. */
  @Override
  public PairList<String, Shape> describeOutput() {
    return output;
  }

  @Override
  public <I, O> Predictor<I, O> newPredictor(Translator<I, O> translator, Device device) {
    if (closed.get()) {
      throw new IllegalStateException("the model " + getName() + " was closed");
    }
    if (translator == null) {
      throw new ArgumentException("a predictor needs a translator: the model's own is one");
    }
    if (device != null && !device.equals(getNDManager().getDevice())) {
      throw new ArgumentException(
          "predictors share the ranks of their model: the criteria's device or argument device says"
              + " where those compute, not "
              + device);
    }
    return new Predictor<>(this, translator, getNDManager().getDevice(), false) {
      @Override // else DJL's tensors, closed before the pipeline is asked, say what nobody knows
      public List<O> batchPredict(List<I> inputs) throws TranslateException {
        if (closed.get()) {
          ClosedException cause = new ClosedException("the pipeline is closed");
          throw new TranslateException(cause.getMessage(), cause);
        }
        return super.batchPredict(inputs);
      }
    };
  }

  /** Takes only the type that it was opened in. */
  @Override
  public void setDataType(DataType type) {
    cast(type);
  }

  /** Takes only the type that it was opened in. */
  @Override
  public void cast(DataType type) {
    if (type != dataType) {
      throw PipelineBlock.refusal(
          "it was opened in %s, and the argument dtype opens it in another type than that"
              .formatted(dataType));
    }
  }

  @Override
  public void quantize() {
    throw PipelineBlock.refusal("it cannot be quantized");
  }

  @Override
  public void setBlock(Block other) {
    throw PipelineBlock.refusal("it takes no other block");
  }

  @Override
  public Trainer newTrainer(TrainingConfig config) {
    throw PipelineBlock.refusal("it cannot be trained");
  }

  @Override
  public void save(Path folder, @Nullable String name) {
    throw PipelineBlock.refusal("its files are in " + modelDir);
  }

  @Override
  public void load(Path path, @Nullable String prefix, @Nullable Map<String, ?> options) {
    throw PipelineBlock.refusal("it is open already");
  }

  @Override
  public void load(InputStream stream, @Nullable Map<String, ?> options) {
    throw PipelineBlock.refusal("it is open already");
  }

  /** The files of the model, by their paths in its folder. */
  @Override
  public String[] getArtifactNames() {
    try (Stream<Path> files = Files.walk(modelDir)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> modelDir.relativize(file).toString().replace('\\', '/'))
          .sorted()
          .toArray(String[]::new);
    } catch (IOException e) {
      throw new UncheckedIOException(modelDir + " cannot be listed", e);
    }
  }

  @Override
  public URL getArtifact(String name) throws IOException {
    if (name != null && !FileName.isInside(name)) {
      throw new FileNotFoundException(FileName.shown(name) + " is no file of " + modelDir);
    }
    return super.getArtifact(name);
  }

  /** Ends requests that are under way and releases everything; again, it does nothing. */
  @Override
  public void close() {
    if (!closed.getAndSet(true)) {
      ranks.close();
      super.close();
    }
  }
}
