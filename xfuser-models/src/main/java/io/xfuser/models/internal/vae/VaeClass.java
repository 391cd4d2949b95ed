package io.xfuser.models.internal.vae;

import io.xfuser.weights.ComponentConfig;
import java.util.Set;
import java.util.function.Function;

/** Some classes of diffusers' autoencoders. */
abstract class VaeClass implements VaeProvider {
  private static final String VIDEOS = "AutoencoderKLWan";

  private final Set<String> classNames;
  private final Set<Ability> abilities;
  private final Function<ComponentConfig, Vae> reading;

  private VaeClass(
      Set<String> classNames, Set<Ability> abilities, Function<ComponentConfig, Vae> reading) {
    this.classNames = classNames;
    this.abilities = abilities;
    this.reading = reading;
  }

  @Override
  public final Set<String> classNames() {
    return classNames;
  }

  @Override
  public final Set<Ability> abilities() {
    return abilities;
  }

  @Override
  public final Vae read(ComponentConfig config) {
    return reading.apply(config);
  }

  /** Of pictures and frames that stand for themselves. */
  public static final class Pictures extends VaeClass {
    public Pictures() {
      super(
          Set.of("AutoencoderKL", "AutoencoderTiny"),
          Set.of(Ability.PICTURES, Ability.FRAMES),
          AutoencoderKlConfig::from);
    }
  }

  /** Of frames that depend on their neighbours. */
  public static final class Frames extends VaeClass {
    public Frames() {
      super(
          Set.of("AutoencoderKLTemporalDecoder"),
          Set.of(Ability.FRAMES),
          AutoencoderKlConfig::from);
    }
  }

  /** Of latents that are normalised, four of a channel in one place. */
  public static final class Normalised extends VaeClass {
    public Normalised() {
      super(
          Set.of("AutoencoderKLFlux2"),
          Set.of(Ability.PICTURES),
          config -> BatchNormVae.from(config.unquantized()));
    }
  }

  /** Of pictures that are compressed deeply. */
  public static final class Deep extends VaeClass {
    public Deep() {
      super(Set.of("AutoencoderDC"), Set.of(Ability.PICTURES), DeepVaeConfig::from);
    }
  }

  /** Of videos, with norms that look at the latents. */
  public static final class Clips extends VaeClass {
    public Clips() {
      super(Set.of("AutoencoderKLCogVideoX"), Set.of(Ability.CLIPS), ClipVaeConfig::from);
    }
  }

  /** Of videos that repeat what is outside: those of HunyuanVideo 1.5. */
  public static final class Replicating extends VaeClass {
    public Replicating() {
      super(
          Set.of("AutoencoderKLHunyuanVideo15"),
          Set.of(Ability.VIDEOS),
          ReplicatingVaeConfig::from);
    }
  }

  /** Of videos, of which pictures are the first frame. */
  public static final class Causal extends VaeClass {
    public Causal() {
      super(
          Set.of("AutoencoderKLQwenImage", VIDEOS),
          Set.of(Ability.WHITENED, Ability.VIDEOS),
          config ->
              CausalVaeConfig.from(config, config.className().filter(VIDEOS::equals).isPresent()));
    }
  }
}
