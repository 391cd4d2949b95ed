package io.xfuser.testing;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import java.util.regex.Pattern;

/** Leaves out the classes of tests, and so those of other modules' jars of tests. */
public final class NoTests implements ImportOption {
  private static final Pattern TESTS = Pattern.compile(".*(-tests\\.jar!|/test-classes)/.*");

  @Override
  public boolean includes(Location location) {
    return !location.matches(TESTS);
  }
}
