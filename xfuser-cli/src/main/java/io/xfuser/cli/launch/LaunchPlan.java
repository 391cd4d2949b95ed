package io.xfuser.cli.launch;

import java.util.List;

/**
 * What {@link Launcher} starts.
 *
 * @param mainClass the fully qualified name of the class whose {@code main} each rank runs
 * @param arguments what {@code main} is given, equal on all ranks
 * @param placement which ranks run here
 */
public record LaunchPlan(String mainClass, List<String> arguments, LaunchTopology placement) {

  /** Keeps its own copy of the arguments. */
  public LaunchPlan {
    arguments = List.copyOf(arguments);
  }
}
