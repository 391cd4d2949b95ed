package io.xfuser.hub;

import io.xfuser.config.ModelName;
import io.xfuser.failure.CancelledException;
import io.xfuser.failure.HubException;
import io.xfuser.failure.ModelException;
import io.xfuser.progress.ProgressListener;
import io.xfuser.weights.ComponentConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The Hugging Face hub, or one that speaks as it does, and the cache of its models that this
 * machine's programs share.
 *
 * <p>A model that the cache has is used without a request, also if its branch has moved at the hub
 * since; another revision, a commit for example, is fetched by its name. May be used by several
 * threads: one model is downloaded by one thread of one process at a time, the others wait for it.
 */
public final class Hub {
  private final HubSettings settings;
  private final ProgressListener listener;
  private final RetryPolicy patience;

  /** Tells {@code listener} of downloads. */
  public Hub(HubSettings settings, ProgressListener listener) {
    this(settings, listener, RetryPolicy.USUAL);
  }

  Hub(HubSettings settings, ProgressListener listener, RetryPolicy patience) {
    this.settings = settings;
    this.listener = listener;
    this.patience = patience;
  }

  /** The hub that {@code environment} names, which logs its downloads. */
  public static Hub of(Map<String, String> environment) {
    return new Hub(HubSettings.fromEnvironment(environment), new LoggedDownloads());
  }

  /** The same that tells {@code other} of downloads, on the thread that asks for a model. */
  public Hub withListener(ProgressListener other) {
    return new Hub(settings, other, patience);
  }

  /** The same with models kept elsewhere. */
  public Hub withCache(Path cache) {
    return new Hub(settings.withCache(cache), listener, patience);
  }

  /**
   * The directory of a model, in diffusers' layout; what the cache lacks of the files that a
   * pipeline needs is downloaded, an earlier download goes on where it ended.
   *
   * @param variant of the weight files, {@code fp16} for example; a component that does not have it
   *     comes with its plain ones; {@code null} = plain ones
   * @param check is given {@code model_index.json} before the rest is downloaded, and may throw
   * @throws ModelException in one sentence, if the hub does not have the model, not for this token,
   *     or not in a form that can be read
   * @throws CancelledException if the listener does not want it to go on; what has come stays for
   *     the next time
   * @throws HubException in one sentence, if the hub cannot be reached, connections break, files
   *     are damaged, or there is no room for them
   */
  public Path fetch(ModelName model, @Nullable String variant, Consumer<Path> check) {
    ModelCache cache = new ModelCache(settings.cache(), model);
    try {
      Optional<Path> found = cache.complete(variant, settings.offline());
      if (found.isPresent()) {
        return found.get();
      }
      requireOnline("has no complete copy of " + model);
      return CacheLock.holding(
          cache.lockFile(),
          () -> {
            Optional<Path> brought = cache.complete(variant, false); // by who held the lock before
            return brought.isPresent() ? brought.get() : download(cache, model, variant, check);
          });
    } catch (IOException e) {
      return withoutWriting(cache, variant, e);
    }
  }

  /**
   * A file of a repository that need not be a pipeline, and what belongs to it; what the cache
   * lacks is downloaded.
   *
   * @param choosing gives the files that are wanted, of all that there are; the first is returned.
   *     It throws {@link ModelException} where there are none
   * @param sure whether it chooses the same whatever else there is
   * @throws RuntimeException as {@link #fetch}
   */
  public Path fetchFile(ModelName model, UnaryOperator<Set<String>> choosing, boolean sure) {
    ModelCache cache = new ModelCache(settings.cache(), model);
    try {
      Optional<Path> found = cache.having(choosing, sure || settings.offline());
      if (found.isPresent()) {
        return found.get();
      }
      requireOnline("does not have that file of " + model);
      return CacheLock.holding(cache.lockFile(), () -> download(cache, model, choosing));
    } catch (IOException e) {
      throw unusable(e);
    }
  }

  private void requireOnline(String lack) {
    if (settings.offline()) {
      throw new HubException("HF_HUB_OFFLINE is set, and " + settings.cache() + " " + lack);
    }
  }

  private HubException unusable(IOException reason) {
    return new HubException(
        "%s cannot be used as a cache of models: %s"
            .formatted(settings.cache(), HubException.reason(reason)),
        reason);
  }

  private Path download(ModelCache cache, ModelName model, UnaryOperator<Set<String>> choosing)
      throws IOException {
    HubClient client = new HubClient(settings, model, patience);
    HubClient.Listing listing;
    try {
      listing = client.listing();
    } catch (IOException e) {
      return cache.having(choosing, true).orElseThrow(() -> unreachable(model, e));
    }
    Set<String> chosen = choosing.apply(listing.files());
    cache.keepListing(listing);
    new Download(client, cache, listing.commit(), patience, listener).files(chosen);
    return cache.snapshot(listing.commit()).resolve(chosen.iterator().next());
  }

  /**
   * A cache that cannot be written to may have the model all the same: by another program, which
   * left no list of what the hub has.
   */
  private Path withoutWriting(ModelCache cache, @Nullable String variant, IOException reason) {
    try {
      Optional<Path> found = cache.complete(variant, true);
      if (found.isPresent()) {
        return found.get();
      }
    } catch (IOException e) {
      reason.addSuppressed(e);
    }
    throw unusable(reason);
  }

  private Path download(
      ModelCache cache, ModelName model, @Nullable String variant, Consumer<Path> check)
      throws IOException {
    HubClient client = new HubClient(settings, model, patience);
    HubClient.Listing listing;
    try {
      listing = client.listing();
    } catch (IOException e) {
      Optional<Path> found = cache.complete(variant, true);
      return found.orElseThrow(() -> unreachable(model, e));
    }
    cache.keepListing(listing);
    Path snapshot = cache.snapshot(listing.commit());
    Path index = snapshot.resolve(PipelineFiles.INDEX);
    if (!listing.files().contains(PipelineFiles.INDEX)) {
      throw new ModelException(
          "%s has no %s, so it is not a diffusers pipeline".formatted(model, PipelineFiles.INDEX));
    }
    Download download = new Download(client, cache, listing.commit(), patience, listener);
    download.index();
    check.accept(index);
    download.rest(
        new PipelineFiles(model.toString(), listing.files(), ComponentConfig.read(index), variant));
    return snapshot;
  }

  private HubException unreachable(ModelName model, IOException reason) {
    return new HubException(
        "%s cannot be reached (%s), and %s has no complete copy of %s"
            .formatted(settings.endpoint(), HubException.reason(reason), settings.cache(), model),
        reason);
  }
}
