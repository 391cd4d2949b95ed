package io.xfuser.cli.launch;

import io.xfuser.parallel.Secret;
import java.util.Map;
import java.util.UUID;

/**
 * By which the ranks of one run know one another. Where all of them are started here, they are
 * drawn for this run; ranks of several hosts have those of the environment.
 *
 * @param job tells runs apart that meet at one port
 * @param secret what nobody else knows
 * @param local whether all ranks are started here
 */
record Credentials(String job, String secret, boolean local) {
  static Credentials of(LaunchTopology placement) {
    return new Credentials(UUID.randomUUID().toString(), Secret.draw(), placement.nodes() == 1);
  }

  void give(Map<String, String> environment) {
    if (local) {
      environment.put("XFUSER_JOB_ID", job);
      if (!environment.containsKey("XFUSER_SECRET_FILE")) {
        environment.putIfAbsent("XFUSER_SECRET", secret);
      }
    }
  }

  /** Never the secret. */
  @Override
  public String toString() {
    return "credentials of job " + job;
  }
}
