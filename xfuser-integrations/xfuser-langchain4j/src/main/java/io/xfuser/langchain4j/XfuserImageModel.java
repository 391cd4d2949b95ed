package io.xfuser.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.failure.ArgumentException;
import io.xfuser.internal.picture.ClearMask;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.GenerationTask;
import io.xfuser.pipeline.XDiTParallel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * langchain4j's {@link ImageModel}, drawn by the ranks of this JVM:
 *
 * <pre>{@code
 * ImageModel model =
 *     XfuserImageModel.builder(ranks).request(r -> r.size(512, 512).numInferenceSteps(20)).build();
 * Image fox = model.generate("a fox").content();
 * }</pre>
 *
 * Pictures are PNG files in base 64, which tell in their text chunks how they were made; {@code
 * metadata()} of a response has the {@code seed}, and in {@code provenance} a map of such texts for
 * each picture. Any thread may call; calls wait for one another as {@link XDiTParallel#submit}
 * says, and an interrupt of the waiting thread cancels.
 *
 * <p>Failures are langchain4j's exceptions, with those of {@code io.xfuser.failure} as their
 * causes: {@code InvalidRequestException} for what cannot be drawn, {@code RateLimitException} if
 * too many requests wait, {@code TimeoutException}, {@code UnresolvedModelServerException} once the
 * ranks are closed, {@code InternalServerException} where a rank failed.
 */
public final class XfuserImageModel implements ImageModel {
  private static final String PNG = "image/png";

  private final XDiTParallel ranks;
  private final InputConfig request;
  private final @Nullable Duration timeout;

  private XfuserImageModel(Builder builder) {
    this.ranks = builder.ranks;
    this.request = builder.request;
    this.timeout = builder.timeout;
  }

  /** A model that {@code ranks} draw for, which stay the caller's to close. */
  public static Builder builder(XDiTParallel ranks) {
    return new Builder(ranks);
  }

  @Override
  public Response<Image> generate(String prompt) {
    return Failures.told(() -> first(draw(asked(prompt))));
  }

  /** {@code n} pictures of one prompt, drawn together. */
  @Override
  public Response<List<Image>> generate(String prompt, int n) {
    return Failures.told(() -> draw(asked(prompt).numImagesPerPrompt(n)));
  }

  /**
   * Draws on from {@code image}, if the model takes pictures: PNG, JPEG or WebP in base 64, or a
   * {@code data:} or {@code file:} address. Nothing is fetched from elsewhere.
   */
  @Override
  public Response<Image> edit(Image image, String prompt) {
    return Failures.told(() -> first(draw(asked(prompt).image(Pictures.of(image)))));
  }

  /**
   * Draws anew what is white in {@code mask}; of a mask with transparent pixels, what is
   * transparent there, as OpenAI's models do.
   */
  @Override
  public Response<Image> edit(Image image, Image mask, String prompt) {
    return Failures.told(
        () ->
            first(
                draw(
                    asked(prompt)
                        .image(Pictures.of(image))
                        .maskImage(ClearMask.of(Pictures.of(mask))))));
  }

  private InputConfigBuilder asked(@Nullable String prompt) {
    if (prompt == null || prompt.isBlank()) {
      throw new ArgumentException("a picture needs a prompt");
    }
    InputConfigBuilder asked = request.toBuilder().prompts(prompt);
    boolean seeded = request.has(InputConfig.SEED) || request.has(InputConfig.SEEDS);
    return seeded ? asked : asked.seed(ThreadLocalRandom.current().nextLong(1L << 32));
  }

  private Response<List<Image>> draw(InputConfigBuilder asked) {
    InputConfig input = asked.build();
    GenerationTask task = ranks.submit(input);
    try (Generation drawn = timeout == null ? task.await() : Failures.within(timeout, task)) {
      return response(drawn, input.seed());
    }
  }

  private static Response<List<Image>> response(Generation drawn, long seed) {
    List<Image> images = new ArrayList<>();
    List<Map<String, String>> provenance = new ArrayList<>();
    for (byte[] file : drawn.pngs()) {
      provenance.add(drawn.provenance(images.size()));
      String text = Base64.getEncoder().encodeToString(file);
      images.add(Image.builder().base64Data(text).mimeType(PNG).build());
    }
    return Response.from(images, null, null, Map.of("seed", seed, "provenance", provenance));
  }

  private static Response<Image> first(Response<List<Image>> all) {
    return Response.from(all.content().get(0), null, null, all.metadata());
  }

  /** A model that is being put together. */
  public static final class Builder {
    private final XDiTParallel ranks;
    private InputConfig request = InputConfig.builder().build();
    private @Nullable Duration timeout;

    private Builder(XDiTParallel ranks) {
      this.ranks = Objects.requireNonNull(ranks, "ranks");
    }

    /**
     * What every request asks for besides its prompt: size, steps, guidance, a negative prompt. By
     * default what the pipeline has, and another seed each time; with a seed the same prompt gives
     * the same picture.
     */
    public Builder request(UnaryOperator<InputConfigBuilder> change) {
      request = change.apply(request.toBuilder()).build();
      return this;
    }

    /** How long a call may take, with the time that it waits; no limit by default. */
    public Builder timeout(Duration limit) {
      if (limit.isNegative() || limit.isZero()) {
        throw new ArgumentException("no picture can be drawn in " + limit);
      }
      timeout = limit;
      return this;
    }

    /** The model. */
    public XfuserImageModel build() {
      return new XfuserImageModel(this);
    }
  }
}
