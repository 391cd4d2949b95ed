package io.xfuser.pipeline;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.config.RuntimeConfig;
import io.xfuser.config.Setting;
import io.xfuser.config.Settings;
import io.xfuser.internal.parallel.Fingerprint;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.Overlay;
import io.xfuser.internal.plan.RequestPlan;
import io.xfuser.internal.weights.Lora;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.SourceFrames;
import io.xfuser.model.SourcePictures;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What all ranks of a request must have alike, by the names of the settings. */
final class RequestFingerprint {
  /** Bytes of a digest that are told: enough that different contents have different ones. */
  private static final int DIGEST_BYTES = 8;

  /** What each rank may have of its own. */
  private static final Set<Setting<?>> OWN =
      Set.of(
          RuntimeConfig.DEVICE,
          RuntimeConfig.OFFLOAD,
          RuntimeConfig.OFFLOAD_CHUNK_MB,
          RuntimeConfig.RESIDENT_RATIO,
          RuntimeConfig.MAX_MEMORY,
          RuntimeConfig.VERBOSE,
          RuntimeConfig.THREADS);

  /** What no other part of a request tells. */
  private static final List<Setting<?>> ASKED =
      List.of(
          InputConfig.SKIP_GUIDANCE_LAYERS,
          InputConfig.SKIP_LAYER_GUIDANCE_SCALE,
          InputConfig.SKIP_LAYER_GUIDANCE_START,
          InputConfig.SKIP_LAYER_GUIDANCE_STOP,
          InputConfig.ENABLE_TEMPORAL_ATTENTIONS,
          InputConfig.DECODE_CHUNK_SIZE,
          InputConfig.CFG_NORMALIZATION,
          InputConfig.CFG_TRUNCATION,
          InputConfig.MAX_TIMESTEPS,
          InputConfig.INTERMEDIATE_TIMESTEPS,
          InputConfig.GUIDANCE_SCALE_2,
          InputConfig.USE_DYNAMIC_CFG,
          InputConfig.CACHE,
          InputConfig.CACHE_THRESHOLD,
          InputConfig.CACHE_WARMUP_STEPS,
          InputConfig.CACHE_MAX_CONTINUOUS,
          InputConfig.CACHE_WHOLE_PICTURE);

  private RequestFingerprint() {}

  /** That of a request; tensors that were given are told by their digests. */
  static Fingerprint of(RequestPlan plan, GivenTensors given) {
    return request(plan.request())
        .and(loras("of the request", plan.loras()))
        .and(pictures(plan.request()))
        .and(given(given))
        .and(settings(plan.engine().parallel()))
        .and(settings(plan.engine().runtime()));
  }

  private static Fingerprint request(GenerationRequest request) {
    InputConfig input = request.input();
    Fingerprint texts = texts(InputConfig.PROMPT.name(), request.prompts().positive());
    if (request.guided()) {
      texts = texts.and(texts(InputConfig.NEGATIVE_PROMPT.name(), request.prompts().negative()));
    }
    return texts
        .with("prompts of further text encoders", request.prompts().others())
        .with("sizes told", request.picture().sizes())
        .and(settings(input, ASKED))
        .with(InputConfig.SEED.name(), input.seed())
        .with(InputConfig.SEEDS.name(), input.seeds())
        .with(InputConfig.HEIGHT.name(), request.size().height())
        .with(InputConfig.WIDTH.name(), request.size().width())
        .with("output height", request.output().height())
        .with("output width", request.output().width())
        .with(InputConfig.NUM_FRAMES.name(), request.latents().pixelFrames())
        .with("latents", request.latents().shape(request.images()))
        .with("sequence", request.sequence().segments())
        .with("pictures that are prompts", contentsOfEach(request.prompts().pictures().positive()))
        .with("pictures of what to avoid", contentsOfEach(request.prompts().pictures().negative()))
        .with(
            "pictures that are referred to",
            request.seen().stream().map(reference -> content(reference.image())).toList())
        .with(
            InputConfig.NUM_IMAGES_PER_PROMPT.name(),
            InputConfig.NUM_IMAGES_PER_PROMPT.textIn(input))
        .with(InputConfig.CLASS_LABELS.name(), input.classLabels())
        .with(InputConfig.OUTPUT_TYPE.name(), InputConfig.OUTPUT_TYPE.textIn(input))
        .with(InputConfig.PARTIAL_IMAGES.name(), InputConfig.PARTIAL_IMAGES.textIn(input))
        .with(InputConfig.PREVIEW_EVERY.name(), InputConfig.PREVIEW_EVERY.textIn(input))
        .and(components(request.scheduler()))
        .with(InputConfig.GUIDANCE_SCALE.name(), request.guidance().scale())
        .with(InputConfig.GUIDANCE_RESCALE.name(), request.guidance().rescale())
        .with("guidance of the model", request.guidance().condition())
        .with("bounds of guidance", request.guidance().bounds())
        .and(components(request.text()));
  }

  /** What ranks must have alike of LoRAs: their contents, whatever the files are called. */
  static Fingerprint loras(String whose, List<Lora> loras) {
    return Fingerprint.EMPTY.with(
        "LoRAs " + whose,
        loras.stream()
            .map(lora -> lora.digest() + ":" + lora.scale() + (lora.second() ? " of 2" : ""))
            .toList());
  }

  private static Fingerprint texts(String name, List<String> texts) {
    Fingerprint all = Fingerprint.EMPTY.with("number of " + name + "s", texts.size());
    for (int i = 0; i < texts.size(); i++) {
      all = all.with(texts.size() == 1 ? name : name + " " + (i + 1), "\"" + texts.get(i) + "\"");
    }
    return all;
  }

  /** Every setting by its name, so that a new one is compared too. */
  static Fingerprint settings(Settings settings) {
    return settings(
        settings, settings.settings().stream().filter(one -> !OWN.contains(one)).toList());
  }

  private static Fingerprint settings(Settings values, List<Setting<?>> some) {
    Fingerprint all = Fingerprint.EMPTY;
    for (Setting<?> setting : some) {
      all = all.with(setting.name(), setting.textIn(values));
    }
    return all;
  }

  /** Every component of a record by its name, so that a new one is compared too. */
  private static Fingerprint components(Record record) {
    Fingerprint all = Fingerprint.EMPTY;
    try {
      for (RecordComponent component : record.getClass().getRecordComponents()) {
        all = all.with(snakeCase(component.getName()), component.getAccessor().invoke(record));
      }
      return all;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a record that cannot be read: " + e.getMessage(), e);
    }
  }

  /** {@code maxSequenceLength} as {@code max_sequence_length}. */
  private static String snakeCase(String name) {
    return name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
  }

  /** Pictures by their content as it is drawn with, wherever their files are. */
  private static Fingerprint pictures(GenerationRequest request) {
    SourcePictures pictures = request.pictures();
    if (pictures == null) {
      return Fingerprint.EMPTY.with(InputConfig.IMAGE.name(), "none");
    }
    Bitmap mask = pictures.mask();
    Overlay overlay = pictures.overlay();
    return Fingerprint.EMPTY
        .with(InputConfig.IMAGE.name(), content(pictures.image()))
        .with(InputConfig.MASK_IMAGE.name(), mask == null ? "none" : content(mask))
        .with(InputConfig.PADDING_MASK_CROP.name(), overlay == null ? "none" : overlay.part())
        .with("around it", overlay == null ? "none" : content(overlay.image()))
        .and(frames(pictures.frames()));
  }

  private static Fingerprint frames(@Nullable SourceFrames frames) {
    if (frames == null) {
      return Fingerprint.EMPTY.with(InputConfig.LAST_IMAGE.name(), "none");
    }
    Bitmap last = frames.last();
    return Fingerprint.EMPTY
        .with(InputConfig.LAST_IMAGE.name(), last == null ? "none" : content(last))
        .with("pictures that are read", contents(frames.read()));
  }

  private static List<String> contents(List<Bitmap> bitmaps) {
    return bitmaps.stream().map(RequestFingerprint::content).toList();
  }

  private static List<List<String>> contentsOfEach(List<List<Bitmap>> bitmaps) {
    return bitmaps.stream().map(RequestFingerprint::contents).toList();
  }

  private static String content(Bitmap bitmap) {
    MessageDigest digest = sha256();
    digest.update(bitmap.values());
    return hex(digest) + " of " + bitmap;
  }

  private static Fingerprint given(GivenTensors given) {
    Fingerprint all = Fingerprint.EMPTY;
    NDArray latents = given.latents();
    if (latents != null) {
      all = all.with("latents given", content(latents));
    }
    NDArray masked = given.seen().masked();
    if (masked != null) {
      all = all.with(GivenTensors.MASKED + " given", content(masked));
    }
    Map<String, NDArray> text = new TreeMap<>(given.text());
    NDArray embeds = given.seen().embeds();
    if (embeds != null) {
      text.put(GivenTensors.EMBEDS, embeds);
    }
    for (var entry : text.entrySet()) {
      all = all.with(entry.getKey() + " given", content(entry.getValue()));
    }
    return all;
  }

  private static String content(NDArray tensor) {
    try (NDManager scope = Torch.newManager()) {
      MessageDigest digest = sha256();
      NDArray here = Torch.contiguous(scope, Torch.to(scope, tensor, Device.cpu()));
      for (ByteBuffer part : Torch.memoryParts(here)) {
        digest.update(part);
      }
      return "%s of %s, %s"
          .formatted(hex(digest), ElementType.of(tensor).torchName(), tensor.getShape());
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest(), 0, DIGEST_BYTES);
  }
}
