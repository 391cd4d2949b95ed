package io.xfuser.pipeline;

import io.xfuser.config.ModelConfig;
import io.xfuser.hub.Hub;
import io.xfuser.internal.files.ModelAssembler.Adapter;
import io.xfuser.internal.weights.AdapterSource;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Finds the files of IP-Adapters: here, or on the hub. */
final class AdapterPlaces {
  private static final FilePlaces PLACES =
      new FilePlaces(
          "IP-Adapter",
          "an IP-Adapter",
          List.of(
              "ip_adapter.safetensors",
              "ip-adapter.safetensors",
              "ip-adapter_diffusers.safetensors"),
          Optional.empty(),
          "convert it once in Python by safetensors.torch.save_file({f\"{part}.{name}\":"
              + " x.contiguous() for part, named in torch.load(FILE, weights_only=True).items() for"
              + " name, x in named.items()}, \"ip-adapter.safetensors\")");

  private AdapterPlaces() {}

  /** Those of {@code config}; throws what {@link FilePlaces#find} does. */
  static List<Adapter> of(ModelConfig config, Supplier<Hub> hub) {
    Path downloads = config.downloadDir();
    Supplier<Hub> place = () -> downloads == null ? hub.get() : hub.get().withCache(downloads);
    return config.ipAdapters().stream()
        .map(AdapterSource::parse)
        .map(source -> new Adapter(PLACES.find(source.place(), place).path(), source.scales()))
        .toList();
  }
}
