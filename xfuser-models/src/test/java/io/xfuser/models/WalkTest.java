package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import io.xfuser.testing.NoTests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** The walk of one request that docs/developer/design.md draws is the one that it takes. */
@AnalyzeClasses(packages = "io.xfuser", importOptions = NoTests.class)
class WalkTest {
  private static final Path DESIGN = Path.of("../docs/developer/design.md");
  private static final Pattern HOP =
      Pattern.compile("^(\\w+) → (\\w+)\\.(\\w+)", Pattern.MULTILINE);

  /** From, to, by which method. */
  private static List<MatchResult> hops() throws IOException {
    return HOP.matcher(Files.readString(DESIGN)).results().toList();
  }

  @ArchTest
  static void everyHopIsACall(JavaClasses classes) throws IOException {
    Set<String> calls = new HashSet<>();
    for (JavaClass type : classes) {
      type.getCodeUnitAccessesFromSelf()
          .forEach(
              call -> {
                String from = outermost(type).getSimpleName();
                String to = outermost(call.getTargetOwner()).getSimpleName();
                calls.add(from + " → " + to + "." + call.getTarget().getName());
              });
    }
    assertThat(hops()).extracting(MatchResult::group).isSubsetOf(calls);
  }

  @ArchTest
  static void theWalkIsAsShortAsTheDesignSays(JavaClasses classes) throws IOException {
    int returns = 0;
    Set<String> seen = new HashSet<>();
    for (MatchResult hop : hops()) {
      seen.add(hop.group(1));
      returns += seen.add(hop.group(2)) ? 0 : 1;
    }
    assertThat(Files.readString(DESIGN))
        .contains("%d hops and %d returns".formatted(hops().size(), returns));
    assertThat(hops()).hasSizeBetween(40, 60);
    assertThat(returns).isLessThanOrEqualTo(5);
  }

  private static JavaClass outermost(JavaClass type) {
    return type.getEnclosingClass().map(WalkTest::outermost).orElse(type);
  }
}
