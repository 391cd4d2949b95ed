package io.xfuser.cli.runner;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.type.TypeFactory;
import io.xfuser.cli.XDiT;
import io.xfuser.report.RankReport;
import io.xfuser.report.RunReport;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code --report} tells of six steps: 9 blocks of 6 heads of 8, 16 tokens, two rows. */
class ReportTest {
  private static final int STEPS = 6;
  private static final int BLOCKS = 9;
  private static final String REQUEST =
      "--model ../xfuser-models/src/test/resources/fixtures/pixart_sigma_tiny --prompt fox"
          + " --num_inference_steps 6 --no_use_resolution_binning --height 64 --width 64"
          + " --output_type latent ";

  @TempDir private Path folder = Path.of("");

  private JsonNode reported(String flags) throws IOException {
    Path report = folder.resolve("report.json");
    List<String> argv = new ArrayList<>(List.of((REQUEST + flags).split(" ")));
    argv.addAll(List.of("--report", report.toString(), "--output_directory", folder.toString()));
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(shown, true, StandardCharsets.UTF_8);
    int status = new Runner(XDiT.class, null, Map.of(), out, out).run(argv.toArray(String[]::new));
    assertThat(status).as(shown::toString).isZero();
    return new ObjectMapper().readTree(report.toFile());
  }

  private static long sum(JsonNode report, ToLongFunction<JsonNode> ofRank) {
    return StreamSupport.stream(report.get("ranks").spliterator(), false).mapToLong(ofRank).sum();
  }

  @Test
  void stepsThatACacheSparedAreToldApartFromComputedOnes() throws IOException {
    JsonNode report = reported("--cache fbcache --cache_threshold 1e9");
    JsonNode rank = report.get("ranks").get(0);
    assertThat(rank.get("computed_passes").intValue()).isOne(); // the first is never spared
    assertThat(rank.get("spared_passes").intValue()).isEqualTo(STEPS - 1);
    assertThat(rank.get("step_s")).hasSize(STEPS);
    assertThat(rank.get("kv_buffer_bytes").longValue()).isPositive(); // what it kept
  }

  @Test
  void eachPatchIsAPassOfItsOwn() throws IOException {
    JsonNode report = reported("--pipefusion_parallel_degree 2 --warmup_steps 1");
    int passes = 1 + 2 * (STEPS - 1); // two patches after the first step
    assertThat(report.get("ranks"))
        .hasSize(2)
        .allSatisfy(
            rank -> {
              assertThat(rank.get("computed_passes").intValue()).isEqualTo(passes);
              assertThat(rank.get("spared_passes").intValue()).isZero();
            });
  }

  @Test
  void bytesBetweenNodesAreToldApartFromThoseWithin() throws IOException {
    JsonNode report = reported("--ulysses_degree 4 --ulysses_topology 2x2");
    long attentions = (long) STEPS * BLOCKS;
    assertThat(report.get("ranks"))
        .allSatisfy(
            rank -> {
              JsonNode between = rank.get("sent_between_nodes").get("ulysses");
              assertThat(between.get("messages").longValue()).isEqualTo(2 * attentions);
              assertThat(rank.get("sent_bytes").get("ulysses").longValue())
                  .isGreaterThan(between.get("bytes").longValue());
            });
    // half of queries, keys, values and outputs belong to the other of two nodes
    long numbers = attentions * 4 / 2 * (2 * 16 * 6 * 8);
    assertThat(sum(report, r -> r.at("/sent_between_nodes/ulysses/bytes").longValue()))
        .isEqualTo(Float.BYTES * numbers);
  }

  @ParameterizedTest
  @ValueSource(classes = {RunReport.class, RankReport.class})
  void thePageNamesEveryField(Class<? extends Record> of) throws IOException {
    String page = Files.readString(Path.of("../docs/tracing.md"));
    List<String> fields =
        new ObjectMapper()
                .getSerializationConfig()
                .introspect(TypeFactory.defaultInstance().constructType(of))
                .findProperties()
                .stream()
                .map(BeanPropertyDefinition::getName)
                .toList();
    assertThat(fields)
        .hasSize(of.getRecordComponents().length)
        .allSatisfy(field -> assertThat(page).contains("`" + field + "`"));
  }

  @Test
  void bytesReadAheadAndTheWaitForThemAreTold() throws IOException {
    JsonNode report = reported("--offload layerwise");
    JsonNode rank = report.get("ranks").get(0);
    long transformer = rank.get("parameter_bytes").longValue();
    long text = rank.get("text_parameter_bytes").longValue();
    // all blocks in each step, which are most of the transformer, and the text encoder once
    assertThat(rank.get("prefetched_bytes").longValue())
        .isBetween(STEPS * transformer * 9 / 10, STEPS * transformer + text);
    assertThat(rank.get("prefetch_wait_s").doubleValue()) // at least for the first one
        .isPositive()
        .isLessThan(report.get("total_s").doubleValue());
    assertThat(rank.get("computed_passes").intValue()).isEqualTo(STEPS);
  }
}
