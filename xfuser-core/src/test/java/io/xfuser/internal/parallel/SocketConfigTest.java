package io.xfuser.internal.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xfuser.failure.ArgumentException;
import io.xfuser.parallel.SocketConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SocketConfigTest {
  private static final Map<String, String> TORCHRUN =
      Map.of(
          "RANK", "5",
          "WORLD_SIZE", "8",
          "LOCAL_RANK", "1",
          "MASTER_ADDR", "node0",
          "MASTER_PORT", "29500");

  @Test
  void torchrunsVariablesAreRead() {
    SocketConfig config = SocketConfig.fromEnvironment(TORCHRUN);
    assertThat(config.rank()).isEqualTo(5);
    assertThat(config.size()).isEqualTo(8);
    assertThat(config.localRank()).isEqualTo(1);
    assertThat(config.master().address()).isEqualTo("node0");
    assertThat(config.master().port()).isEqualTo(29500);
    assertThat(config.master().ports()).isEqualTo(1);
    assertThat(config.sharedMemory()).isTrue();
    assertThat(config.limits()).isEqualTo(SocketConfig.Limits.standard());
  }

  @Test
  void slurmsVariablesServeWhereRankIsAbsent() {
    Map<String, String> slurm = new HashMap<>();
    slurm.put("SLURM_PROCID", "3");
    slurm.put("SLURM_NTASKS", "4");
    slurm.put("SLURM_LOCALID", "1");
    slurm.put("MASTER_ADDR", "node0");
    slurm.put("MASTER_PORT", "29500");
    assertThat(SocketConfig.fromEnvironment(slurm).rank()).isEqualTo(3);
    assertThat(SocketConfig.fromEnvironment(slurm).size()).isEqualTo(4);
    assertThat(SocketConfig.fromEnvironment(slurm).localRank()).isEqualTo(1);
    slurm.putAll(TORCHRUN);
    assertThat(SocketConfig.fromEnvironment(slurm).rank()).isEqualTo(5);
  }

  @Test
  void thePortsAfterTheAgentsOwnAreTriedUnderTorchrun() {
    Map<String, String> agent = new HashMap<>(TORCHRUN);
    agent.put("TORCHELASTIC_USE_AGENT_STORE", "True");
    assertThat(SocketConfig.fromEnvironment(agent).master().port()).isEqualTo(29501);
    assertThat(SocketConfig.fromEnvironment(agent).master().ports()).isEqualTo(16);
    agent.put("MASTER_PORT", "65530");
    assertThat(SocketConfig.fromEnvironment(agent).master().ports()).isEqualTo(5);
  }

  @Test
  void timeoutAndSharedMemoryCanBeSet() {
    Map<String, String> set = new HashMap<>(TORCHRUN);
    set.put("XFUSER_TIMEOUT", "60");
    set.put("XFUSER_SHM", "0");
    assertThat(SocketConfig.fromEnvironment(set).limits().message()).hasSeconds(60);
    assertThat(SocketConfig.fromEnvironment(set).sharedMemory()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "RANK||RANK is not set: start the ranks with scripts/xfrun, torchrun or srun",
        "WORLD_SIZE||WORLD_SIZE is not set: start the ranks with scripts/xfrun, torchrun or srun",
        "MASTER_ADDR||MASTER_ADDR is not set: it must name the machine of rank 0",
        "RANK|8|RANK=8 is not below WORLD_SIZE=8",
        "RANK|-1|RANK=-1 is not below WORLD_SIZE=8",
        "WORLD_SIZE|many|WORLD_SIZE=many is not a number",
        "MASTER_PORT|70000|ports 70000 to 70000 are not within 1 to 65535",
        "XFUSER_TIMEOUT|0|XFUSER_TIMEOUT=0 is not a time in seconds"
      })
  void whatMakesNoSenseIsRejectedInOneSentence(String name, String value, String sentence) {
    Map<String, String> wrong = new HashMap<>(TORCHRUN);
    if (value == null) {
      wrong.remove(name);
    } else {
      wrong.put(name, value);
    }
    assertThatThrownBy(() -> SocketConfig.fromEnvironment(wrong))
        .isInstanceOf(ArgumentException.class)
        .hasMessage(sentence);
  }

  @ParameterizedTest
  @CsvSource({
    "LOCAL_RANK=3 RANK=11, 3",
    "RANK=11, 11",
    "SLURM_PROCID=11 SLURM_LOCALID=2 LOCAL_RANK=7, 2",
    "RANK=11 LOCAL_RANK=3 SLURM_PROCID=11 SLURM_LOCALID=2, 3",
    "OTHER=1, 11"
  })
  void theNumberOnAMachineIsTorchrunsElseSlurmsElseTheRank(String variables, int expected) {
    assertThat(SocketConfig.localRank(environment(variables), 11)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "LOCAL_WORLD_SIZE=3 | 3",
        "SLURM_NODEID=0 SLURM_STEP_TASKS_PER_NODE=4(x2),1 | 4",
        "SLURM_NODEID=1 SLURM_STEP_TASKS_PER_NODE=4(x2),1 | 4",
        "SLURM_NODEID=2 SLURM_STEP_TASKS_PER_NODE=4(x2),1 | 1",
        "SLURM_NODEID=3 SLURM_STEP_TASKS_PER_NODE=4(x2),1 | 9",
        "SLURM_NODEID=0 SLURM_STEP_TASKS_PER_NODE=many | 9",
        "SLURM_NODEID=0 SLURM_STEP_TASKS_PER_NODE=4 LOCAL_WORLD_SIZE=2 | 2",
        "SLURM_NODEID=0 SLURM_STEP_TASKS_PER_NODE=4 RANK=1 | 9",
        "SLURM_NODEID=0 | 9",
        "LOCAL_WORLD_SIZE=none | 9"
      })
  void theRanksOfAMachineAreThoseThatTorchrunElseSlurmCountsElseAll(
      String variables, int expected) {
    assertThat(SocketConfig.localSize(environment(variables), 9)).isEqualTo(expected);
  }

  private static Map<String, String> environment(String variables) {
    Map<String, String> environment = new HashMap<>();
    for (String variable : variables.split(" ", -1)) {
      String[] parts = variable.split("=", 2);
      environment.put(parts[0], parts[1]);
    }
    return environment;
  }

  @Test
  void aNegativeNumberOnAMachineIsRejected() {
    assertThatThrownBy(() -> SocketConfig.localRank(Map.of("LOCAL_RANK", "-1"), 0))
        .hasMessage("LOCAL_RANK=-1 is not a number from 0");
  }

  @ParameterizedTest
  @CsvSource({
    "OTHER=1, 29500/null",
    "SLURM_JOB_ID=7, 29500/7",
    "SLURM_JOB_ID=7 SLURM_STEP_ID=2, 29500/7.2",
    "SLURM_JOB_ID=7 TORCHELASTIC_RUN_ID=fox, 29500/fox",
    "TORCHELASTIC_RUN_ID=fox XFUSER_JOB_ID=bear, 29500/bear"
  })
  void theJobIsXfrunsElseTorchrunsElseSlurms(String variables, String job) {
    Map<String, String> environment = new HashMap<>(TORCHRUN);
    for (String variable : variables.split(" ", -1)) {
      String[] parts = variable.split("=", 2);
      environment.put(parts[0], parts[1]);
    }
    assertThat(SocketConfig.fromEnvironment(environment).master().job()).isEqualTo(job);
  }

  @Test
  void aSecretIsReadFromTheEnvironmentOrAFileAndNeverShown(@TempDir Path directory)
      throws Exception {
    Map<String, String> environment = new HashMap<>(TORCHRUN);
    assertThat(SocketConfig.fromEnvironment(environment)).asString().contains("no secret");
    environment.put("XFUSER_SECRET", "0123456789abcdef");
    assertThat(SocketConfig.fromEnvironment(environment))
        .asString()
        .contains("a secret")
        .doesNotContain("0123456789abcdef");
    environment.put("XFUSER_SECRET", "0123456789abcde");
    assertThatThrownBy(() -> SocketConfig.fromEnvironment(environment))
        .hasMessage(
            "the secret of the ranks has 15 bytes, but must have 16 to 4,096: openssl rand -hex 32"
                + " makes one");
    Path file = Files.writeString(directory.resolve("secret"), "0123456789abcdef\n");
    environment.put("XFUSER_SECRET_FILE", file.toString());
    assertThatThrownBy(() -> SocketConfig.fromEnvironment(environment))
        .hasMessageContaining("both set");
    environment.remove("XFUSER_SECRET");
    assertThat(SocketConfig.fromEnvironment(environment)).asString().contains("a secret");
    environment.put("XFUSER_SECRET_FILE", directory.resolve("none").toString());
    assertThatThrownBy(() -> SocketConfig.fromEnvironment(environment))
        .isInstanceOf(ArgumentException.class)
        .hasMessageContaining("cannot be read")
        .hasMessageContaining("none");
  }
}
