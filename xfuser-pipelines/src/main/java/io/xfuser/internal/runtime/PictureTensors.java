package io.xfuser.internal.runtime;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.xfuser.internal.parallel.Communicator;
import io.xfuser.internal.picture.Bitmap;
import io.xfuser.internal.plan.RankPlan;
import io.xfuser.model.GenerationRequest.Reference;
import io.xfuser.model.GivenTensors;
import io.xfuser.model.LatentShape;
import io.xfuser.model.SourcePictures;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.nn.Patchify;
import io.xfuser.scheduler.Sample;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.torchscript.ElementType;
import io.xfuser.torchscript.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of the picture that a request brings, on one rank. The first rank of each
 * data-parallel group encodes it, alone or with strips on as many ranks of the group as there are
 * rows of latents, and broadcasts latents; all else every rank makes itself.
 *
 * @param plan this rank's
 * @param replica all ranks of its pictures
 * @param strips the first of them, which encode together
 * @param options of the encoder
 * @param type of the samples
 */
record PictureTensors(
    RankPlan plan,
    Communicator replica,
    @Nullable Communicator strips,
    VaeDecoder.DecodeOptions options,
    ElementType type) {
  /**
   * The start of a request that begins with a picture.
   *
   * @param noise on the rank's device
   * @param given the caller's tensors
   * @param scheduler how noisy it is
   * @param encoder loads the encoder; asked on the ranks that encode
   */
  Start start(
      NDManager owner,
      Noise noise,
      GivenTensors given,
      Scheduler scheduler,
      Supplier<Shared.Lease<VaeEncoder>> encoder) {
    SourcePictures pictures = Objects.requireNonNull(plan.request().pictures(), "no picture");
    if (pictures.frames() != null) {
      return new FrameTensors(pictures, plan.request().latents(), this)
          .start(owner, noise, scheduler, encoder);
    }
    NDArray masked = given.seen().masked(); // (1 or images, L, e)
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> latents = // (1, c, h, w) each
          latents(
              scope,
              () -> pixels(scope, pictures, pictures.shows() && masked == null),
              noise.encoding(),
              encoder);
      NDArray picture = tokens(owner, latents.get(0), noise); // (1, l, c)
      NDArray first =
          given.latents() != null
              ? noise.initial()
              : scheduler.noised(owner, picture, noise.initial(), 0); // (B, l, c)
      return new Start(
          Sample.of(first),
          noise.steps(),
          pictures.keeps()
              ? new Start.Kept(mask(owner, pictures, noise), picture, noise.initial())
              : null,
          !pictures.shows()
              ? null
              : masked == null
                  ? beside(owner, pictures, latents.get(1), noise)
                  : beside(owner, masked, noise));
    }
  }

  /** What the transformer sees beside each token: latents without what is masked, and the mask. */
  private NDArray beside(NDManager owner, SourcePictures pictures, NDArray latents, Noise noise) {
    try (NDManager scope = owner.newSubManager()) {
      LatentShape shape = plan.request().latents();
      NDArray channels = // (1, s·s, h, w)
          ImageProcessor.IMAGE.call(
              scope,
              "mask_as_channels",
              bytes(scope, mask(pictures)),
              shape.height(),
              shape.width(),
              type.scalarType());
      NDArray seen = tokens(scope, latents, noise); // (1, l, c)
      NDArray mask = tokens(scope, channels, noise); // (1, l, s·s·p·p)
      return ImageProcessor.IMAGE.call(owner, "join", seen, mask);
    }
  }

  /** The same of what a caller gives, {@code masked} (1 or images, L, e), as diffusers packs it. */
  private NDArray beside(NDManager owner, NDArray masked, Noise noise) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray mine = // (1 or B, L, e)
          masked.getShape().get(0) == 1
              ? masked
              : Torch.slice(scope, masked, 0, plan.images().from(), plan.images().to());
      NDArray here = Torch.to(scope, mine, Device.cpu());
      long seen =
          (long) plan.request().latents().channels() * plan.request().latents().patch().size();
      NDArray latents = Torch.slice(scope, here, 2, 0, seen);
      NDArray mask = Torch.slice(scope, here, 2, seen, here.getShape().get(2));
      return ImageProcessor.IMAGE.call(
          owner, "join", tokens(scope, latents, noise), tokens(scope, mask, noise)); // (…, l, e)
    }
  }

  private NDArray mask(NDManager owner, SourcePictures pictures, Noise noise) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray mask = // (1, c, h, w)
          ImageProcessor.IMAGE.call(
              scope,
              "mask_of_latents",
              bytes(scope, mask(pictures)),
              plan.request().latents().noise(1).getShape(),
              type.scalarType());
      return tokens(owner, mask, noise); // (1, l, c)
    }
  }

  /** Of latents (1, c, h, w) the tokens that this rank has, where its noise is. */
  NDArray tokens(NDManager owner, NDArray latents, Noise noise) {
    try (NDManager scope = owner.newSubManager()) {
      NDArray all = plan.request().latents().tokens(scope, latents); // (1, L, c)
      NDArray own = Noise.own(scope, all, plan); // (1, l, c)
      return Torch.to(owner, Torch.cast(scope, own, type), noise.initial().getDevice());
    }
  }

  /**
   * The tokens (B, r, c) that this rank has of each picture that is referred to.
   *
   * @param encoder as in {@link #start}
   */
  List<NDArray> references(
      NDManager owner, Device device, Supplier<Shared.Lease<VaeEncoder>> encoder) {
    List<Reference> all = plan.request().seen();
    List<NDArray> tokens = new ArrayList<>();
    try (NDManager scope = owner.newSubManager()) {
      List<NDArray> latents = // (1, c, h, w) each
          latents(
              scope,
              () -> all.stream().map(x -> normalized(scope, x.image())).toList(),
              List.of(),
              encoder);
      long[] rows = new long[plan.images().length()]; // all have the same picture
      for (int i = 0; i < all.size(); i++) {
        NDArray whole = all.get(i).latents().tokens(scope, latents.get(i)); // (1, R, c)
        long[] positions = plan.layout().segment(i + 1).positions(plan.shard());
        NDArray own = Patchify.select(scope, whole, positions); // (1, r, c)
        tokens.add(Torch.rows(owner, Torch.to(scope, Torch.cast(scope, own, type), device), rows));
      }
    }
    return tokens;
  }

  /**
   * Latents (1, c, h, w) of pictures.
   *
   * @param pixels (1, 3, H, W) of each; asked for on the ranks that encode
   * @param noise by which those of each are drawn, empty where they are the middle
   */
  List<NDArray> latents(
      NDManager owner,
      Supplier<List<NDArray>> pixels,
      List<NDArray> noise,
      Supplier<Shared.Lease<VaeEncoder>> encoder) {
    List<NDArray> encoded = new ArrayList<>();
    if (strips != null) {
      try (Shared.Lease<VaeEncoder> here = encoder.get()) {
        List<NDArray> all = pixels.get();
        for (int i = 0; i < all.size(); i++) {
          NDArray drawn = noise.isEmpty() ? null : noise.get(i);
          encode(owner, here.get(), all.get(i), drawn).ifPresent(encoded::add);
        }
      }
    }
    return replica.broadcast(owner, replica.isFirst() ? encoded : List.of(), 0);
  }

  private Optional<NDArray> encode(
      NDManager owner, VaeEncoder encoder, NDArray pixels, @Nullable NDArray drawn) {
    try (NDManager scope = owner.newSubManager()) {
      Communicator together = Objects.requireNonNull(strips);
      return encoder
          .encode(scope, pixels, options, new RankStrip(together))
          .map(encoded -> encoder.latents(owner, encoded, drawn)); // (1, c, h, w)
    }
  }

  /** What is encoded, (1, 3, H, W) each. */
  private static List<NDArray> pixels(NDManager owner, SourcePictures pictures, boolean covered) {
    NDArray whole = normalized(owner, pictures.image());
    return covered
        ? List.of(
            whole, ImageProcessor.IMAGE.call(owner, "cover", whole, bytes(owner, mask(pictures))))
        : List.of(whole);
  }

  /** A picture of 8 bits as (1, 3, H, W), −1 to 1. */
  static NDArray normalized(NDManager owner, Bitmap image) {
    try (NDManager scope = owner.newSubManager()) {
      return ImageProcessor.IMAGE.call(owner, "normalize", bytes(scope, image)); // (1, 3, H, W)
    }
  }

  private static Bitmap mask(SourcePictures pictures) {
    return Objects.requireNonNull(pictures.mask(), "no mask");
  }

  private static NDArray bytes(NDManager owner, Bitmap bitmap) {
    NDArray values =
        Torch.empty(owner, ElementType.UINT8, bitmap.height(), bitmap.width(), bitmap.channels());
    Torch.memory(values).put(bitmap.values());
    return values;
  }
}
