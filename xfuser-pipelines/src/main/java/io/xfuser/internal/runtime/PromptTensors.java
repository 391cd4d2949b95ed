package io.xfuser.internal.runtime;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.config.InputConfig;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.picture.PicturePrompts;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.internal.report.Texts;
import io.xfuser.model.GenerationRequest;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.SourcePictures;
import io.xfuser.model.TextEncoder;
import io.xfuser.model.TextEncoder.PictureEncoder;
import io.xfuser.model.TextRequest;
import io.xfuser.progress.Progress;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import io.xfuser.transformer.BlockContext;
import io.xfuser.weights.Share;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The text tensors of one rank's pictures, by name. The first rank of each data-parallel group
 * encodes the prompts, alone or with a share of the encoder on every rank of the group, and
 * broadcasts what comes out. What it has kept of earlier requests is not encoded again; it tells
 * the ranks with other shares, so that none encodes alone.
 *
 * @param run of the request
 * @param pipeline has the encoder, and what is kept of it
 * @param plan this rank's
 * @param replica all ranks of these pictures
 * @param reading whether pictures are read with the prompts, where the request has some to read
 */
record PromptTensors(
    RankRun run, PlacedPipeline<?> pipeline, RankPlan plan, Communicator replica, boolean reading) {
  /** Of all texts that are encoded together, so that what is between layers stays small. */
  private static final long MOST_ROWS = 2048;

  /** What is encoded together, and the prefix of its tensors' names. */
  private record Part(String prefix, TextRequest request) {}

  /** Encodes, or takes what was given; both prompts are in the result where guidance needs them. */
  Map<String, NDArray> of(NDManager owner, GivenTensors given) {
    Map<String, NDArray> all = new HashMap<>(text(owner, given));
    NDArray embeds = given.seen().embeds(); // (pictures, N, C)
    if (embeds != null) {
      NDArray rows = rows(owner, embeds); // (B, pictures·N, C)
      all.put(GivenTensors.EMBEDS, rows);
      if (plan.request().guided()) {
        all.put(InputConfig.NEGATIVE + GivenTensors.EMBEDS, rows);
      }
    }
    return all;
  }

  /** What all pictures are seen as, one after another, in each row. */
  private NDArray rows(NDManager owner, NDArray embeds) {
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> each = new ArrayList<>();
      for (int i = 0; i < embeds.getShape().get(0); i++) {
        each.add(Torch.slice(scope, embeds, 0, i, i + 1));
      }
      NDArray one = Torch.concat(scope, each, 1); // (1, pictures·N, C)
      return Torch.rows(owner, one, new long[plan.images().length()]);
    }
  }

  private Map<String, NDArray> text(NDManager owner, GivenTensors given) {
    Map<String, NDArray> mine = new HashMap<>();
    given
        .text()
        .forEach(
            (name, tensor) ->
                mine.put(
                    name, Torch.slice(owner, tensor, 0, plan.images().from(), plan.images().to())));
    List<Part> parts = given.hasTexts() ? List.of() : parts();
    Map<String, List<Bitmap>> pictures = ShownTensors.missing(plan.request(), given);
    if (!parts.isEmpty() || !pictures.isEmpty()) {
      try (NDManager scope = owner.newSubManager()) {
        Map<String, NDArray> encoded = encodes() ? encoded(scope, parts, pictures) : Map.of();
        mine.putAll(broadcast(owner, replica.isFirst() ? new TreeMap<>(encoded) : Map.of()));
      }
    }
    return ShownTensors.matched(owner, plan.request(), mine);
  }

  /** Whether this rank has a part in encoding. */
  boolean encodes() {
    return shared() || replica.isFirst();
  }

  private boolean shared() {
    return run.engine().runtime().shardTextEncoder();
  }

  private Share share() {
    return shared() ? new Share(replica.rank(), replica.size()) : Share.WHOLE;
  }

  private Map<String, NDArray> encoded(
      NDManager scope, List<Part> parts, Map<String, List<Bitmap>> pictures) {
    Map<String, NDArray> all = new HashMap<>();
    List<Part> missing = new ArrayList<>();
    for (Part part : parts) {
      Map<String, NDArray> kept = replica.isFirst() ? kept(scope, part) : null;
      if (told(scope, kept != null)) {
        run.figures().textReused();
        add(all, part, kept == null ? Map.of() : kept);
      } else {
        missing.add(part);
      }
    }
    if (!missing.isEmpty()) {
      try (Shared.Lease<TextEncoder> encoder = run.loads(pipeline).textEncoder(share())) {
        run.figures().textEncoder(encoder.get().parameterBytes());
        if (missing.size() == 2 && together(encoder.get(), missing.get(0).request())) {
          encodeTogether(scope, encoder.get(), missing, all);
        } else {
          missing.forEach(part -> took(all, part, encoder.get().encode(scope, part.request())));
        }
      }
    }
    if (replica.isFirst() && !pictures.isEmpty()) {
      all.putAll(seen(scope, pictures));
    }
    return all;
  }

  /** Sums over shares are in another order where there is more to sum. */
  private boolean together(TextEncoder encoder, TextRequest first) {
    long rows = 2L * first.ofImages().length() * first.options().maxSequenceLength();
    return encoder.keepsApart() && rows <= MOST_ROWS && (!shared() || replica.size() == 1);
  }

  /** Both parts, layer by layer, so that what is read of a layer serves both. */
  private void encodeTogether(
      NDManager scope, TextEncoder encoder, List<Part> both, Map<String, NDArray> all) {
    TextRequest.Prompts prompts = plan.request().prompts().with(PicturePrompts.NONE);
    Map<String, NDArray> tensors =
        encoder.encode(scope, part("", prompts, 0, 1).request().inParts());
    for (Part part : both) {
      Map<String, NDArray> own = new HashMap<>();
      boolean negative = !part.prefix().isEmpty();
      tensors.forEach(
          (name, tensor) -> {
            if (name.startsWith(InputConfig.NEGATIVE) == negative) {
              own.put(name.substring(part.prefix().length()), tensor);
            }
          });
      took(all, part, own);
    }
  }

  private void took(Map<String, NDArray> all, Part part, Map<String, NDArray> tensors) {
    keep(part, tensors);
    add(all, part, tensors);
  }

  /** What {@code pictures} are seen as, the same in all rows. */
  private Map<String, NDArray> seen(NDManager scope, Map<String, List<Bitmap>> pictures) {
    Map<String, NDArray> all = new HashMap<>();
    long[] rows = new long[plan.images().length()];
    try (Shared.Lease<PictureEncoder> encoder = run.loads(pipeline).pictureEncoder()) {
      run.figures().pictureEncoder(encoder.get().parameterBytes());
      pictures.forEach(
          (name, shown) -> all.put(name, Torch.rows(scope, encoder.get().see(scope, shown), rows)));
    }
    return all;
  }

  private static void add(Map<String, NDArray> all, Part part, Map<String, NDArray> tensors) {
    tensors.forEach((name, tensor) -> all.put(part.prefix() + name, tensor));
  }

  private @Nullable Map<String, NDArray> kept(NDManager scope, Part part) {
    return reads(part) ? null : pipeline.texts().get(scope, key(part));
  }

  private void keep(Part part, Map<String, NDArray> tensors) {
    if (replica.isFirst() && !reads(part)) {
      pipeline.texts().put(key(part), tensors);
    }
  }

  /** Pictures are not compared with those of other requests. */
  private static boolean reads(Part part) {
    return !part.request().pictures().isEmpty();
  }

  private KeptTexts.Key key(Part part) {
    return KeptTexts.Key.of(pipeline.placement(), share(), part.request());
  }

  /** What the first rank has found, which all do that encode together. */
  private boolean told(NDManager scope, boolean found) {
    if (!shared() || replica.size() == 1) {
      return found;
    }
    List<NDArray> own = List.of();
    if (replica.isFirst()) {
      NDArray word = Torch.empty(scope, ElementType.INT64, 1);
      Torch.memory(word).asLongBuffer().put(found ? 1 : 0);
      own = List.of(word);
    }
    NDArray word = Torch.to(scope, replica.broadcast(scope, own, 0).get(0), Device.cpu());
    return Torch.memory(word).asLongBuffer().get() == 1;
  }

  /**
   * One for both prompts, or one for each where that comes to the same: then the negative prompt,
   * often the same one, is kept by itself. Never as it happens to be kept, since what is encoded
   * together may decide over last bits.
   */
  private List<Part> parts() {
    GenerationRequest request = plan.request();
    TextRequest.Prompts prompts = request.prompts().with(PicturePrompts.NONE);
    if (!request.guided()) {
      return List.of(part("", prompts.withoutNegatives(), 0, 1));
    }
    if (!pipeline.texts().keepsAny() || !pipeline.model().encodesAlone(request.text())) {
      return List.of(part("", prompts, 0, 1));
    }
    return List.of(
        part("", prompts.withoutNegatives(), 0, 2),
        part(InputConfig.NEGATIVE, prompts.negatives(), 1, 2));
  }

  private Part part(String prefix, TextRequest.Prompts prompts, int number, int of) {
    GenerationRequest request = plan.request();
    return new Part(
        prefix,
        new TextRequest(
            prompts,
            request.input().numImagesPerPrompt(),
            plan.images(),
            request.text(),
            reading ? read(request) : List.of(),
            new BlockContext(
                List.of(),
                share(),
                replica::allReduceSum,
                (done, total) ->
                    run.progress(
                        new Progress.Encoding(
                            number * total + done, Math.multiplyExact(of, total))))));
  }

  private static List<Bitmap> read(GenerationRequest request) {
    SourcePictures pictures = request.pictures();
    return Stream.concat(
            request.seen().stream().flatMap(reference -> Stream.ofNullable(reference.read())),
            pictures == null ? Stream.empty() : pictures.read().stream())
        .toList();
  }

  private Map<String, NDArray> broadcast(NDManager owner, Map<String, NDArray> encoded) {
    List<String> names = Texts.broadcast(owner, replica, List.copyOf(encoded.keySet()));
    List<NDArray> tensors =
        replica.broadcast(
            owner,
            encoded.keySet().stream()
                .map(name -> Objects.requireNonNull(encoded.get(name)))
                .toList(),
            0);
    Map<String, NDArray> all = new HashMap<>();
    for (int i = 0; i < tensors.size(); i++) {
      all.put(names.get(i), tensors.get(i));
    }
    return all;
  }
}
