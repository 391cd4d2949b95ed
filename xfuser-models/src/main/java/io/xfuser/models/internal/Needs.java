package io.xfuser.models.internal;

import static io.xfuser.models.internal.text.TextComponents.ENCODER;
import static io.xfuser.models.internal.text.TextComponents.TOKENIZER;

import io.xfuser.model.PipelineComponents;
import io.xfuser.models.internal.adapter.Adapters;
import io.xfuser.models.internal.parts.TwoTransformers;
import io.xfuser.models.internal.scheduler.Schedulers;
import io.xfuser.models.internal.text.ClipPictures;
import io.xfuser.models.internal.text.TextComponents;
import io.xfuser.models.internal.text.TextModelProvider;
import io.xfuser.models.internal.text.Tokenizers;
import io.xfuser.models.internal.vae.VaeProvider;
import io.xfuser.models.internal.vae.Vaes;
import io.xfuser.scheduler.SchedulerProvider;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a pipeline needs of its components: of which class its transformer is, and what the others
 * can do, whoever provides them. Immutable.
 *
 * @param transformers the classes of the transformer
 * @param others classes of components that there may be besides, by their names
 * @param scheduler what its scheduler is told
 * @param texts what each text encoder is asked, by what follows {@code text_encoder} in its name
 * @param optional those of them that a directory may lack, with their tokenizers
 * @param vae what its autoencoder decodes
 */
public record Needs(
    Set<String> transformers,
    Map<String, Set<String>> others,
    Set<SchedulerProvider.Ability> scheduler,
    Map<String, Set<TextModelProvider.Ability>> texts,
    Set<String> optional,
    Set<VaeProvider.Ability> vae) {
  /** A transformer of one of these classes, any scheduler, a decoder of pictures, and no text. */
  public static Needs of(String... transformers) {
    return new Needs(
        Set.of(transformers),
        Map.of(),
        Set.of(),
        Map.of(),
        Set.of(),
        Set.of(VaeProvider.Ability.PICTURES));
  }

  /** And perhaps a second transformer. */
  public Needs severalTransformers() {
    return orNone(TwoTransformers.SECOND, transformers);
  }

  /** And perhaps component {@code name}, of one of these classes. */
  public Needs orNone(String name, Set<String> classes) {
    Map<String, Set<String>> more = new TreeMap<>(others);
    more.put(name, Set.copyOf(classes));
    return new Needs(transformers, more, scheduler, texts, optional, vae);
  }

  /** And perhaps adapters by which pictures are prompts, and an encoder of these classes. */
  public Needs adapters(Set<String> encoders) {
    return orNone(Adapters.NAME, Set.of()).orNone(ClipPictures.ENCODER, encoders);
  }

  /** And a scheduler that can be told of all these. */
  public Needs scheduler(SchedulerProvider.Ability... abilities) {
    return new Needs(transformers, others, Set.of(abilities), texts, optional, vae);
  }

  /** And a tokenizer and a text encoder with these abilities. */
  public Needs text(String suffix, TextModelProvider.Ability... abilities) {
    Map<String, Set<TextModelProvider.Ability>> more = new TreeMap<>(texts);
    more.put(suffix, Set.of(abilities));
    return new Needs(transformers, others, scheduler, more, optional, vae);
  }

  /** The same, which a directory may lack. */
  public Needs textOrNone(String suffix, TextModelProvider.Ability... abilities) {
    Set<String> more = new HashSet<>(optional);
    more.add(suffix);
    return new Needs(transformers, others, scheduler, texts, more, vae).text(suffix, abilities);
  }

  /** And an autoencoder with these abilities. */
  public Needs vae(VaeProvider.Ability... abilities) {
    return new Needs(transformers, others, scheduler, texts, optional, Set.of(abilities));
  }

  /** The classes that each of {@code components} may have, by its name. */
  Map<String, Set<String>> classes(PipelineComponents components) {
    if (!others.containsKey(Adapters.NAME)) {
      Adapters.refuse(components);
    }
    Map<String, Set<String>> all = new TreeMap<>();
    all.put("transformer", transformers);
    boolean shows = components.given().containsKey(Adapters.NAME);
    others.forEach(
        (name, classes) -> {
          boolean unused = // an encoder of pictures that are prompts, where there are none
              name.equals(ClipPictures.ENCODER) && others.containsKey(Adapters.NAME) && !shows;
          if (components.index().has(name) && !unused) {
            all.put(name, orAbsent(classes));
          }
        });
    all.put("scheduler", Schedulers.with(scheduler));
    all.put("vae", Vaes.with(vae));
    texts.forEach(
        (suffix, abilities) -> {
          Set<String> encoders = TextComponents.encoders(abilities);
          all.put(ENCODER + suffix, orAbsent(suffix, encoders));
          all.put(TOKENIZER + suffix, orAbsent(suffix, tokenizers(components, suffix, encoders)));
        });
    return all;
  }

  /** Those whose ids the encoder takes, or where it is none of {@code encoders}, one of them. */
  private static Set<String> tokenizers(
      PipelineComponents components, String suffix, Set<String> encoders) {
    String name = ENCODER + suffix;
    boolean known = components.has(name) && encoders.contains(components.className(name));
    Set<String> taken = new HashSet<>();
    for (String encoder : known ? Set.of(components.className(name)) : encoders) {
      taken.addAll(Tokenizers.of(encoder));
    }
    return taken;
  }

  private Set<String> orAbsent(String suffix, Set<String> classes) {
    return optional.contains(suffix) ? orAbsent(classes) : classes;
  }

  private static Set<String> orAbsent(Set<String> classes) {
    Set<String> all = new HashSet<>(classes);
    all.add(PipelineComponents.ABSENT);
    return all;
  }
}
