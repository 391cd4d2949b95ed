package io.xfuser.models.internal.lora;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * By which names of other programs, besides their own, a component's modules are known. The tables
 * are resources; {@code flux.names} says how to read them.
 */
final class OtherNames {
  /** Tables by a tensor that only their kind of component has. */
  private static final Map<String, String> TABLES =
      Map.of(
          "single_transformer_blocks.0.proj_mlp.weight", "flux.names",
          "single_transformer_blocks.0.attn.to_qkv_mlp_proj.weight", "flux2.names",
          "transformer_blocks.0.attn.add_k_proj.weight", "sd3.names",
          "adaln_single.linear.weight", "pixart.names",
          "condition_embedder.time_proj.weight", "wan.names",
          "cond_type_embed.weight", "hunyuanvideo15.names",
          "all_final_layer.2-1.linear.weight", "zimage.names",
          "text_model.encoder.layers.0.self_attn.q_proj.weight", "clip.names");

  private static final Pattern NUMBER = Pattern.compile("#");
  private static final Pattern LAST = Pattern.compile("\\$");

  private OtherNames() {}

  /**
   * What a name stands for.
   *
   * @param modules by their own names, whose rows lie one after the other
   * @param swapped whether the halves are exchanged, scale before shift
   */
  record Meaning(List<String> modules, boolean swapped) {}

  /** Names of others and what they stand for, of a component that has {@code tensors}. */
  static Map<String, Meaning> of(Set<String> tensors) {
    return TABLES.entrySet().stream()
        .filter(table -> tensors.contains(table.getKey()))
        .map(Map.Entry::getValue)
        .sorted() // Flux, Flux.2 and HunyuanVideo have what SD3 is known by
        .findFirst()
        .map(table -> read(table, tensors))
        .orElse(Map.of());
  }

  private static Map<String, Meaning> read(String table, Set<String> tensors) {
    Map<String, Meaning> names = new LinkedHashMap<>();
    for (String line : lines(table)) {
      if (!line.startsWith("#")) {
        int equals = line.indexOf(" = ");
        String meaning = line.substring(equals + 3);
        boolean swapped = meaning.startsWith("~");
        List<String> modules = List.of(meaning.substring(swapped ? 1 : 0).split(" ", -1));
        add(names, tensors, line.substring(0, equals), new Meaning(modules, swapped));
      }
    }
    return names;
  }

  /** One name, or one for each number for which there are all modules. */
  private static void add(
      Map<String, Meaning> names, Set<String> tensors, String name, Meaning meaning) {
    int last = last(tensors, meaning.modules().get(0)).orElse(-1);
    boolean numbered = name.contains("#");
    for (int i = numbered ? 0 : last; i <= last; i++) {
      String number = String.valueOf(i);
      List<String> modules = meaning.modules().stream().map(one -> with(one, number)).toList();
      if (modules.stream().allMatch(one -> isThere(tensors, one))) {
        names.put(with(name, number), new Meaning(modules, meaning.swapped()));
      }
    }
  }

  /** Whether a layer of this name is there, or a tensor that is none. */
  private static boolean isThere(Set<String> tensors, String module) {
    return tensors.contains(module + ".weight") || tensors.contains(module);
  }

  private static String with(String name, String number) {
    return LAST.matcher(NUMBER.matcher(name).replaceAll(number)).replaceAll(number);
  }

  /** The highest number in the place of # or $; 0 where there is neither. */
  private static OptionalInt last(Set<String> tensors, String module) {
    int place = Math.max(module.indexOf('#'), module.indexOf('$'));
    if (place < 0) {
      return OptionalInt.of(0);
    }
    Pattern numbered =
        Pattern.compile(Pattern.quote(module.substring(0, place)) + "(\\d{1,6})\\..*");
    return tensors.stream()
        .map(numbered::matcher)
        .filter(Matcher::matches)
        .mapToInt(matcher -> Integer.parseInt(matcher.group(1)))
        .max();
  }

  private static List<String> lines(String table) {
    try (InputStream text = OtherNames.class.getResourceAsStream(table)) {
      if (text == null) {
        throw new IllegalStateException("no table " + table);
      }
      return new ArrayList<>(
          new String(text.readAllBytes(), StandardCharsets.UTF_8).lines().toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
