package io.xfuser.models.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherFactory;

/** What {@code scripts/gpu-check} asks JUnit for is there by the names that it says. */
class DeviceTestsTest {
  @ParameterizedTest
  @CsvSource({
    "false, models.DevicesTest.functionsStayOnTheDeviceOfTheirArguments",
    "true, models.DevicesTest.functionsStayOnAGpu"
        + " models.cuda.CudaPictureTest.aGpuDrawsWhatTheCpuDraws"
        + " pipeline.FusedPictureTest.aGpuDrawsTheSamePictureByOwnKernels"
        + " torchscript.CudaAttentionTest.aGpusKernelsAttendAsTheEquationSays"
        + " internal.kernels.FusedKernelsTest.aGpusAdaLnAndGatesToo"
  })
  void theTestsOfTypesAndDevicesAreFound(boolean cuda, String names) {
    TestPlan plan = LauncherFactory.create().discover(DeviceTests.request(cuda));
    Set<String> found =
        plan.getRoots().stream()
            .flatMap(root -> plan.getDescendants(root).stream())
            .map(DeviceTestsTest::name)
            .collect(Collectors.toSet());
    assertThat(found).containsAll(List.of(names.split(" ", -1)));
  }

  private static String name(TestIdentifier test) {
    return test.getSource()
        .filter(MethodSource.class::isInstance)
        .map(MethodSource.class::cast)
        .map(of -> of.getClassName().replace("io.xfuser.", "") + "." + of.getMethodName())
        .orElse("");
  }
}
