package io.xfuser.models.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two ranks with a JVM each, one of which cancels: before the steps, in them, while it decodes and
 * while it waits. All phases of all layouts are {@code CancelTest}'s by threads, and half of them
 * by sockets: with those here, every layout cancels in a step and every phase with some layout.
 * More of them by processes, and all by sockets, are tried with the profile {@code complete}.
 */
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class CancelledProcesses {
  private static final String MODEL =
      Path.of("src/test/resources/fixtures/pixart_sigma_tiny").toAbsolutePath().toString();

  @TempDir private Path directory = Path.of("");

  /** At least two. */
  abstract RankProcesses ranks() throws IOException;

  @BeforeAll
  void join() throws Exception {
    ranks().join(2, true);
  }

  @ParameterizedTest
  @CsvSource({
    "--data_parallel_degree 2 --prompt fox boat, 0, loading the transformer",
    "--ulysses_degree 2 --use_parallel_vae --prompt fox, 1, decoding",
    "--pipefusion_parallel_degree 2 --prompt fox, 0, in PipeFusion step 3 of 4",
    "--vae_parallel_size 1 --prompt fox, 1, waiting for latents",
  })
  void bothHearOfACancelWhateverOneIsDoingAndTheNextRequestWorks(
      String layout, int by, String activity) throws Exception {
    List<String> flags = new ArrayList<>(List.of(layout.split(" ")));
    flags.addAll(List.of("--model", MODEL, "--height", "64", "--width", "64"));
    flags.addAll(List.of("--no_use_resolution_binning", "--num_inference_steps", "4"));
    flags.addAll(List.of("--output_directory", directory.toString()));
    List<String> said = ranks().cancel(by, activity, flags);
    assertThat(said.get(by)).startsWith("cancelled while ");
    assertThat(said.get(1 - by)).isEqualTo(said.get(by));
    ranks().run(flags);
  }

  @Tag("complete")
  @ParameterizedTest
  @CsvSource({
    "--data_parallel_degree 2 --prompt fox boat, 0, in synchronous step 2 of 4",
    "--data_parallel_degree 2 --prompt fox boat, 1, encoding the prompt",
    "--use_cfg_parallel --prompt fox, 0, encoding the prompt",
    "--use_cfg_parallel --prompt fox, 1, in synchronous step 3 of 4",
    "--use_cfg_parallel --prompt fox, 0, decoding",
    "--ulysses_degree 2 --use_parallel_vae --prompt fox, 0, encoding the prompt",
    "--pipefusion_parallel_degree 2 --prompt fox, 0, encoding the prompt",
    "--pipefusion_parallel_degree 2 --prompt fox, 1, decoding",
    "--data_parallel_degree 2 --prompt fox boat, 1, decoding",
    "--ulysses_degree 2 --use_parallel_vae --prompt fox, 1, in synchronous step 2 of 4",
    "--vae_parallel_size 1 --prompt fox, 0, in synchronous step 2 of 4",
    "--vae_parallel_size 1 --prompt fox, 1, decoding",
  })
  void soTheyDoElsewhere(String layout, int by, String activity) throws Exception {
    bothHearOfACancelWhateverOneIsDoingAndTheNextRequestWorks(layout, by, activity);
  }
}
