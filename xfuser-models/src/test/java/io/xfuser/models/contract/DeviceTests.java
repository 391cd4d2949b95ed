package io.xfuser.models.contract;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs the tests that need a GPU and tells {@code scripts/gpu-check} of each; where there is none,
 * those of their counterparts that need no files of a checkout.
 */
final class DeviceTests implements TestExecutionListener {
  private static final String DEVICES =
      "io.xfuser.models.DevicesTest#functionsStayOnTheDeviceOfTheirArguments"
          + "(java.lang.String)";

  private int held;
  private int broken;

  private DeviceTests() {}

  /** Takes {@code cuda} or {@code cpu}. */
  public static void main(String[] arguments) {
    boolean cuda = arguments[0].equals("cuda");
    DeviceTests tests = new DeviceTests();
    Launcher launcher = LauncherFactory.create();
    launcher.execute(request(cuda), tests);
    say("decides", tests.decided(arguments[0]));
    System.exit(tests.broken == 0 && tests.held > 0 ? 0 : 1);
  }

  private String decided(String device) {
    if (broken > 0) {
      return "**" + broken + " tests of types and devices fail**, " + held + " hold";
    }
    return held > 0
        ? held + " tests of types and devices hold on " + device
        : "**no tests of types and devices are found**";
  }

  static LauncherDiscoveryRequest request(boolean cuda) {
    List<? extends DiscoverySelector> selected =
        cuda
            ? List.of(DiscoverySelectors.selectPackage("io.xfuser"))
            : List.of(
                DiscoverySelectors.selectClass("io.xfuser.torchscript.CudaAttentionTest"),
                DiscoverySelectors.selectMethod(DEVICES));
    return LauncherDiscoveryRequestBuilder.request()
        .selectors(selected)
        .filters(EngineFilter.includeEngines("junit-jupiter"))
        .filters(cuda ? TagFilter.includeTags("gpu") : TagFilter.excludeTags("gpu"))
        .build();
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (result.getStatus() == Status.SUCCESSFUL) {
      held += test.isTest() ? 1 : 0;
      return;
    }
    broken++;
    String reason =
        result.getThrowable().map(Throwable::toString).orElse("aborted").lines().limit(5).toList()
            + "";
    say("note", "**" + test.getUniqueId().replaceAll("\\[engine:[^/]*/", "") + "**: " + reason);
  }

  /** A line that {@code scripts/gpu-check} reads. */
  static void say(String kind, Object what) {
    try {
      System.out.println(new ObjectMapper().writeValueAsString(Map.of(kind, what)));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
