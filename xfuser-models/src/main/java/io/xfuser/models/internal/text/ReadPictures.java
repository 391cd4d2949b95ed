package io.xfuser.models.internal.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.xfuser.failure.ArgumentException;
import io.xfuser.failure.ModelException;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.model.PipelineComponents;
import io.xfuser.torchscript.Torch;
import io.xfuser.weights.ComponentConfig;
import io.xfuser.weights.Share;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Pictures that a language model reads with a text: how many tokens each of them is, and what
 * stands in their place. The first of several shares alone loads what reads them.
 */
public final class ReadPictures implements PictureReader {
  /** What stands for a token of a picture in a text. */
  private static final String TOKEN = "<|image_pad|>";

  private static final String PROCESSOR = "processor";
  private static final String SETTINGS = "preprocessor_config.json";

  private final VisionConfig config;
  private final PictureSizes sizes;
  private final long token;
  private final List<Integer> sections;
  private final Optional<PictureTower> tower;

  private ReadPictures(PipelineComponents components, boolean reads) {
    EncoderFolder folder = EncoderFolder.of(components, TextComponents.ENCODER);
    ComponentConfig settings = folder.config();
    config = VisionConfig.of(settings);
    sizes = PictureSizes.of(processor(components), config);
    token = settings.getInt("image_token_id", 151655);
    sections = sections(settings);
    tower = reads ? Optional.of(new PictureTower(folder)) : Optional.empty();
  }

  /** How pictures are read: in a file of its own, or as transformers 5 writes it, among others. */
  private static ComponentConfig processor(PipelineComponents components) {
    PipelineComponents.Given given = components.given().get(PROCESSOR);
    if (given != null && given.config() != null) {
      return given.config();
    }
    Path folder = components.folder(PROCESSOR);
    Path own = folder.resolve(SETTINGS);
    Path among = folder.resolve("processor_config.json");
    if (Files.exists(own)) {
      return ComponentConfig.read(own);
    }
    return Files.exists(among)
        ? ComponentConfig.read(among).part("image_processor", "")
        : ComponentConfig.parse(own.toString(), "{}");
  }

  /** Pairs of a head's values that turn by the place in the text, the row and the column. */
  private static List<Integer> sections(ComponentConfig settings) {
    ComponentConfig text = settings.part("text_config", "qwen2_5_vl_text");
    List<Integer> sections = DecoderConfig.rotations(text).getIntList("mrope_section");
    int pairs = DecoderConfig.qwen25vl(settings).headWidth() / 2;
    if (sections.size() != 3 || sections.stream().mapToInt(Integer::intValue).sum() != pairs) {
      throw new ModelException(
          "%s: mrope_section %s are not three numbers that add up to %d pairs of a head's values"
              .formatted(text.origin(), sections, pairs));
    }
    return sections;
  }

  public static ReadPictures open(PipelineComponents components, Share share) {
    return new ReadPictures(components, share.isFirst());
  }

  /**
   * Makes sure that they can be read, without reading weights.
   *
   * @throws ModelException naming what is missing or not supported
   */
  public static void check(PipelineComponents components) {
    new ReadPictures(components, false).close();
    new PictureTower(EncoderFolder.of(components, TextComponents.ENCODER).onTrial()).close();
  }

  /**
   * Refuses prompts that have what stands for a picture themselves.
   *
   * @throws ArgumentException naming it
   */
  public static void checkPrompts(List<String> prompts) {
    if (prompts.stream().anyMatch(prompt -> prompt.contains(TOKEN))) {
      throw strange();
    }
  }

  private static ArgumentException strange() {
    return new ArgumentException("a prompt with pictures must not contain " + TOKEN);
  }

  /** {@code picture} in the size in which it is read. */
  public Bitmap fitted(Bitmap picture) {
    return sizes.fitted(picture, config.side());
  }

  /** What stands in a text for a picture that fits. */
  public String tokens(Bitmap fitted) {
    return TOKEN.repeat(count(fitted));
  }

  private int count(Bitmap fitted) {
    return fitted.height() / config.side() * columns(fitted);
  }

  private int columns(Bitmap fitted) {
    return fitted.width() / config.side();
  }

  /**
   * Texts with pictures.
   *
   * @param tokens of the texts
   * @param pictures what stands in the place of some of them
   */
  public record Text(TokenIds tokens, TextInput.@Nullable Pictures pictures) {
    public Text(TokenIds tokens) {
      this(tokens, null);
    }
  }

  /**
   * Reads {@code fitted} with texts whose tokens for them are in the same places.
   *
   * @throws ArgumentException if a text has others
   */
  public Text read(NDManager owner, TokenIds tokens, List<Bitmap> fitted) {
    List<long[]> columns = Arrays.stream(tokens.ids()).map(this::columns).toList();
    long[] at = columns.get(0);
    int expected = fitted.stream().mapToInt(this::count).sum();
    if (at.length != expected || columns.stream().anyMatch(one -> !Arrays.equals(one, at))) {
      throw strange();
    }
    List<NDArray> states = tower.map(it -> List.of(states(owner, it, fitted))).orElse(List.of());
    NDArray places = places(owner, places(tokens.length(), at, fitted));
    return new Text(
        tokens, new TextInput.Pictures(states, owner.create(at, new Shape(expected)), places));
  }

  private NDArray states(NDManager owner, PictureTower reader, List<Bitmap> fitted) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> each =
          fitted.stream().map(one -> reader.states(scope, one, sizes)).toList(); // (M, C) in all
      return Torch.concat(owner, each, 0);
    }
  }

  private long[] columns(long[] ids) {
    return IntStream.range(0, ids.length).filter(i -> ids[i] == token).asLongStream().toArray();
  }

  /** Of each token its place, its row and its column: in pictures these count from its place. */
  private List<long[]> places(int tokens, long[] at, List<Bitmap> fitted) {
    List<long[]> places = new ArrayList<>();
    int picture = 0;
    int read = 0; // of the pictures' tokens
    long next = 0;
    while (places.size() < tokens) {
      if (read == at.length || places.size() != at[read]) {
        places.add(new long[] {next, next, next});
        next++;
      } else {
        Bitmap one = fitted.get(picture++);
        int columns = columns(one);
        int count = count(one);
        for (int i = 0; i < count; i++) {
          places.add(new long[] {next, next + i / columns, next + i % columns});
        }
        read += count;
        next += Math.max(count / columns, columns);
      }
    }
    return places;
  }

  /** The places by which each pair of a head's values turns, (T, D/2). */
  private NDArray places(NDManager owner, List<long[]> places) {
    int pairs = sections.stream().mapToInt(Integer::intValue).sum();
    long[] all = new long[places.size() * pairs];
    int i = 0;
    for (long[] place : places) {
      for (int section = 0; section < sections.size(); section++) {
        Arrays.fill(all, i, i + sections.get(section), place[section]);
        i += sections.get(section);
      }
    }
    return owner.create(all, new Shape(places.size(), pairs));
  }

  @Override
  public long parameterBytes() {
    return tower.map(PictureTower::parameterBytes).orElse(0L);
  }

  @Override
  public void close() {
    tower.ifPresent(PictureTower::close);
  }
}
