package io.xfuser.models;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.junit.ArchTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What users of the library may rely on: the public top-level types of packages that do not say
 * {@code internal}. Whoever adds or removes one changes the list, so that it is seen.
 */
final class PublicTypes {
  private static final Path LIST = Path.of("src/test/resources/public_types.txt");
  private static final int MOST = 90;

  private PublicTypes() {}

  @ArchTest
  static void publicTypesAreThoseOfTheListAndFew(JavaClasses classes) throws IOException {
    List<String> found =
        classes.stream()
            .filter(type -> type.isTopLevelClass() && !type.getSimpleName().equals("package-info"))
            .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
            .map(JavaClass::getName)
            .filter(name -> !name.contains(".internal."))
            .sorted()
            .toList();
    assertThat(found).isEqualTo(Files.readAllLines(LIST)).hasSizeLessThanOrEqualTo(MOST);
  }
}
