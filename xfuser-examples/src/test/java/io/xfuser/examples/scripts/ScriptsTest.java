package io.xfuser.examples.scripts;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.cli.RankProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
@DisabledOnOs(OS.WINDOWS)
class ScriptsTest {
  /** Java that tells what it is given. */
  private static final String TELLS =
      "for word; do echo \"$word\"; done; echo \"policy $OMP_WAIT_POLICY\"";

  private static final String RUN_MAIN = ". \"$ROOT/scripts/lib.sh\"; find_java; build \"$ROOT\"; ";

  private @TempDir Path directory = Path.of("");
  private Checkout checkout;

  @BeforeEach
  void make() throws IOException {
    checkout = new Checkout(directory.resolve("a check out"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"LC_ALL=C", "LANG=POSIX", "LANG=xx_XX.UTF-8", "LC_CTYPE=", "LC_ALL=C.UTF-8"})
  void lettersReachTheMainClassWhateverTheLocale(String setting) throws Exception {
    checkout.built(System.getProperty("java.class.path"));
    Map<String, String> environment = new HashMap<>();
    environment.put("RANK", "0");
    environment.put("JAVA_HOME", System.getProperty("java.home"));
    environment.put(setting.replaceFirst("=.*", ""), setting.replaceFirst(".*=", ""));
    String prompt =
        "$'F\\303\\244hre \\360\\237\\246\\212'"; // in UTF-8, whatever this JVM's locale is
    String main = "run_main \"$ROOT\" " + RankProgram.class.getName() + " '' arguments 0 " + prompt;
    Checkout.Run run = checkout.run(environment, RUN_MAIN + main);
    assertThat(run.status()).as("%s", run.err()).isZero();
    assertThat(run.out()).containsExactly("arguments|0|F\u00e4hre \ud83e\udd8a");
  }

  @ParameterizedTest
  @CsvSource({"ISO-8859-1, no", "ISO-8859-15, no", "UTF-8, no", "ANSI_X3.4-1968, yes", "'', yes"})
  void anEncodingOfTheUsersOwnIsLeftAlone(String encoding, String replaced) throws Exception {
    String command = RUN_MAIN + "is_ascii '" + encoding + "' && echo yes || echo no";
    checkout.built("");
    assertThat(checkout.run(Map.of(), command).out()).containsExactly(replaced);
  }

  @Test
  void javaIsToldWhatSuitsInWordsThatMayHoldSpaces() throws Exception {
    checkout.java(TELLS);
    checkout.built("");
    Path archive = checkout.root().resolve("xfuser-examples/target/classes.jsa");
    Files.writeString(archive, "");
    Files.setLastModifiedTime(archive, FileTime.from(Instant.now().plusSeconds(9))); // than the jar
    Map<String, String> options = Map.of("JAVA_OPTS", "-Xmx1g -Dx=*", "CDPATH", "/");
    Checkout.Run run = xdit(options, "--prompt", "a  fox");
    assertThat(run.status()).as("%s", run.err()).isZero();
    assertThat(run.out())
        .contains("--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xmx1g", "-Dx=*")
        .contains("a  fox", "policy passive")
        .anyMatch(word -> word.endsWith("a check out/xfuser-examples/target/classes.jsa"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"})
  void aCollectorOfTheUsersStandsAlone(String variable) throws Exception {
    checkout.java(TELLS);
    checkout.built("");
    assertThat(xdit(Map.of(variable, "-XX:+UseParallelGC")).out())
        .doesNotContain("-XX:+UseSerialGC");
  }

  @ParameterizedTest
  @CsvSource({"-Xmx16m, false", "-XX:MaxRAMPercentage=1, false", "-Dx=1, true"})
  void aHeapOfTheUsersHasItsOwnNursery(String option, boolean ours) throws Exception {
    checkout.java(TELLS);
    checkout.built("");
    assertThat(xdit(Map.of("JAVA_OPTS", option)).out().contains("-Xmn16m")).isEqualTo(ours);
  }

  @ParameterizedTest
  @CsvSource({"OMP_WAIT_POLICY, active, policy active", "GOMP_SPINCOUNT, 9, 'policy '"})
  void howThreadsWaitIsTheUsersToSay(String variable, String value, String told) throws Exception {
    checkout.java(TELLS);
    checkout.built("");
    assertThat(xdit(Map.of(variable, value)).out()).contains(told);
  }

  @Test
  void aScriptRunsByALinkAndByAnotherShell() throws Exception {
    checkout.java(TELLS);
    checkout.built("");
    Path link = directory.resolve("my xdit");
    Files.createSymbolicLink(link, checkout.root().resolve("scripts/xdit"));
    assertThat(checkout.run(Map.of(), "sh ./my\\ xdit --help").out()).contains("--help");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "checks/real_size pixart --narow | real_size: no flag --narow; --help shows those there"
            + " are",
        "checks/real_size pixart --side | real_size: --side needs a value",
        "checks/real_size pixart --layers | real_size: --layers needs a value",
        "checks/real_size pixart --layers x | real_size: --layers is x, not 1 or more",
        "checks/real_size flux_dev --dtypes int3 | real_size: --dtypes has int3, which is none of"
            + " float32, bfloat16 and float16",
        "parity --foo | parity: no flag --foo; --help shows those there are",
        "checks/real_size pixart --markdown /no/x | real_size: --markdown: there is no folder /no",
        "checks/real_size pixart --markdown / | real_size: --markdown: / is a folder",
        "bench/picture pixart --layer | picture: no flag --layer; --help shows those there are",
        "bench/picture pixart --dtypes int3 | picture: --dtypes has int3, which is none of float32,"
            + " bfloat16 and float16",
        "bench/picture pixart --markdown /no/x | picture: --markdown: there is no folder /no",
        "bench/sdcpp --quick | sdcpp: no flag --quick; --help shows those there are",
        "bench/sdcpp --markdown /no/x | sdcpp: --markdown: there is no folder /no",
        "bench/spared --block | spared: there is no flag --block, only --blocks, --dtype, --size"
            + " and --steps",
        "checks/two_hosts ssh | two_hosts: no way ssh; there are xfrun, ipv6, torchrun, c10d, slurm"
            + " and kubernetes",
        "gpu-check --pack a.zip | gpu-check: the archive must be a .tar.xz or .tar.gz, but is"
            + " a.zip",
        "gpu-check --pack /no/a.tgz | gpu-check: --pack: there is no folder /no",
        "quality/calibrate model /no/x | calibrate: FILE: there is no folder /no",
        "quality/pictures fox | pictures: fox is not known; it takes nothing"
      })
  void nonsenseIsRefusedBeforeAnythingIsBuilt(String line, String sentence) throws Exception {
    String scripts = Path.of("../scripts").toAbsolutePath().normalize().toString();
    Checkout.Run run = checkout.run(Map.of("SCRIPTS", scripts), "\"$SCRIPTS\"/" + line);
    assertThat(run.err()).containsExactly(sentence);
    assertThat(run.status()).isEqualTo(2);
  }

  private Checkout.Run xdit(Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    return checkout.run(environment, "a\\ check\\ out/scripts/xdit \"$@\"", arguments);
  }
}
