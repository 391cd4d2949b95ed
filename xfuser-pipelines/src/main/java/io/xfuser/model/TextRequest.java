package io.xfuser.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.config.Setting;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.PicturePrompts;
import io.xfuser.nn.Range;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The text of some of a request's pictures. Pipelines form text and masks for all pictures
 * together; most treat each prompt alone, and encode {@link #perPrompt}.
 *
 * @param prompts all prompts of the request, and as many negative prompts, or none without guidance
 * @param imagesPerPrompt pictures for each prompt, one after another
 * @param images the pictures whose text is wanted
 * @param options how text is prepared
 * @param pictures what is read with every prompt
 * @param context sums over the ranks that have the other shares of the encoder
 * @param apart whether prompts and negative prompts, which are encoded together, each get the bits
 *     that they have by themselves
 */
public record TextRequest(
    Prompts prompts,
    int imagesPerPrompt,
    Range images,
    TextEncoder.TextOptions options,
    List<Bitmap> pictures,
    BlockContext context,
    boolean apart) {
  /** The same, where it does not matter what else is encoded. */
  public TextRequest(
      Prompts prompts,
      int imagesPerPrompt,
      Range images,
      TextEncoder.TextOptions options,
      List<Bitmap> pictures,
      BlockContext context) {
    this(prompts, imagesPerPrompt, images, options, pictures, context, false);
  }

  /** {@code prompts}, each with one picture, without guidance, for a whole encoder. */
  public static TextRequest of(List<String> prompts, TextEncoder.TextOptions options) {
    Range all = Range.of(prompts.size());
    Prompts alone = new Prompts(prompts, List.of());
    return new TextRequest(alone, 1, all, options, List.of(), BlockContext.none(List.of()));
  }

  /** The same with prompts and negative prompts {@link #apart}. */
  public TextRequest inParts() {
    return new TextRequest(
        prompts, imagesPerPrompt, images, options, pictures, context, /* apart= */ true);
  }

  /** How many parts the texts have that are encoded as if each were alone, of one size. */
  public int parts() {
    return apart && !prompts.negative().isEmpty() ? 2 : 1;
  }

  /** Encodes each prompt of {@link #images} once, and repeats its rows for each picture. */
  public Map<String, NDArray> perPrompt(NDManager owner, PromptEncoder encoder) {
    Range its = ofImages();
    return encode(
        owner,
        all -> all.subList(its.from(), its.to()),
        encoder,
        rows(image -> image / imagesPerPrompt - its.from()));
  }

  /** Which prompts {@link #images} are drawn from. */
  public Range ofImages() {
    return new Range(
        images.from() / imagesPerPrompt, (images.to() + imagesPerPrompt - 1) / imagesPerPrompt);
  }

  /**
   * Encodes all prompts and repeats their rows one after another: image i has row i mod P of P
   * prompts. Some of diffusers' pipelines repeat masks in this order.
   */
  public Map<String, NDArray> inTurn(NDManager owner, PromptEncoder encoder) {
    int count = prompts.positive().size();
    return encode(owner, UnaryOperator.identity(), encoder, rows(image -> image % count));
  }

  /**
   * Both prompts in one batch: an encoder reads its weights once, and more rows are multiplied at a
   * time.
   */
  private Map<String, NDArray> encode(
      NDManager owner, UnaryOperator<List<String>> some, PromptEncoder encoder, long[] rows) {
    Texts texts = Texts.of(prompts, some);
    boolean guided = !prompts.negative().isEmpty();
    long[] negativeRows = LongStream.of(rows).map(row -> row + texts.positives()).toArray();
    Map<String, NDArray> all = new HashMap<>();
    try (NDManager scope = owner.newSubManager()) {
      encoder
          .encode(scope, texts, this)
          .forEach(
              (name, tensor) -> {
                all.put(name, Torch.rows(owner, tensor, rows));
                if (guided) {
                  all.put(InputConfig.NEGATIVE + name, Torch.rows(owner, tensor, negativeRows));
                }
              });
    }
    return all;
  }

  /** A row for each of {@link #images}. */
  public long[] rows(IntUnaryOperator rowOfImage) {
    return IntStream.range(images.from(), images.to()).map(rowOfImage).asLongStream().toArray();
  }

  /**
   * What is encoded together: prompts, and the negative ones after them.
   *
   * @param positives how many are no negative prompts
   * @param byEncoder the texts for each text encoder, all as many
   */
  public record Texts(int positives, List<List<String>> byEncoder) {
    private static Texts of(Prompts prompts, UnaryOperator<List<String>> some) {
      List<List<String>> all = new ArrayList<>();
      for (int encoder = 0; encoder <= prompts.others().size(); encoder++) {
        Prompts its = prompts.of(encoder);
        List<String> both = new ArrayList<>(some.apply(its.positive()));
        if (!its.negative().isEmpty()) {
          both.addAll(some.apply(its.negative()));
        }
        all.add(both);
      }
      return new Texts(some.apply(prompts.positive()).size(), all);
    }

    /** Those for text encoder {@code number}, counted from 0. */
    public List<String> of(int number) {
      return byEncoder.get(Math.min(number, byEncoder.size() - 1));
    }
  }

  /** Encodes some prompts. */
  @FunctionalInterface
  public interface PromptEncoder {
    /** Tensors by name; dimension 0 of each is the texts, which are some of {@code request}'s. */
    Map<String, NDArray> encode(NDManager owner, Texts texts, TextRequest request);
  }

  /**
   * What is drawn and what is not, in words or class labels; as many of the one as of the other.
   *
   * @param positive prompts
   * @param negative negative prompts
   * @param others the same for the second and the third text encoder; none: as for the first
   * @param pictures what is drawn and what is not, in pictures; often none
   */
  public record Prompts(
      List<String> positive, List<String> negative, List<Prompts> others, PicturePrompts pictures) {
    private static final List<Setting<List<String>>> POSITIVE =
        List.of(InputConfig.PROMPT_2, InputConfig.PROMPT_3);
    private static final List<Setting<List<String>>> NEGATIVE =
        List.of(InputConfig.NEGATIVE_PROMPT_2, InputConfig.NEGATIVE_PROMPT_3);

    /** In words alone. */
    public Prompts(List<String> positive, List<String> negative, List<Prompts> others) {
      this(positive, negative, others, PicturePrompts.NONE);
    }

    /** The same with pictures in the place of others. */
    public Prompts with(PicturePrompts shown) {
      return new Prompts(positive, negative, others, shown);
    }

    /** The same for every text encoder. */
    public Prompts(List<String> positive, List<String> negative) {
      this(positive, negative, List.of());
    }

    /** One negative prompt per prompt; the empty one where none is given. */
    public static Prompts of(InputConfig input) {
      List<String> prompts = input.prompts();
      List<String> none = Collections.nCopies(prompts.size(), "");
      List<String> negatives = each(input.negativePrompts(), none);
      List<Prompts> others = new ArrayList<>();
      for (int i = 0; i < POSITIVE.size(); i++) {
        others.add(
            new Prompts(
                each(input.listed(POSITIVE.get(i)), prompts),
                each(input.listed(NEGATIVE.get(i)), negatives)));
      }
      return new Prompts(prompts, negatives, others);
    }

    /** As many as {@code otherwise}: those given, one for all, or {@code otherwise}. */
    private static List<String> each(List<String> given, List<String> otherwise) {
      if (given.isEmpty() || given.size() == otherwise.size()) {
        return given.isEmpty() ? otherwise : given;
      }
      return Collections.nCopies(otherwise.size(), given.get(0));
    }

    /** What text encoder {@code number} reads, counted from 0. */
    public Prompts of(int number) {
      return number == 0 || others.isEmpty() ? this : others.get(number - 1);
    }

    /** The negative prompts, as prompts alone. */
    public Prompts negatives() {
      return new Prompts(negative, List.of(), others.stream().map(Prompts::negatives).toList());
    }

    /** The same for prompts alone. */
    public Prompts withoutNegatives() {
      return new Prompts(
          positive, List.of(), others.stream().map(Prompts::withoutNegatives).toList());
    }
  }
}
