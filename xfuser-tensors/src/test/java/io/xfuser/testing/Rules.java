package io.xfuser.testing;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.lang.ArchRule;

/** Rules of more than one module. */
public final class Rules {
  /** Embedded ranks throw. */
  public static final ArchRule NOTHING_ENDS_THE_JVM =
      noClasses()
          .should()
          .callMethod(System.class, "exit", int.class)
          .orShould()
          .callMethod(Runtime.class, "exit", int.class)
          .orShould()
          .callMethod(Runtime.class, "halt", int.class);

  /** It stands on the library as any program does. */
  public static final ArchRule NOTHING_KNOWS_THE_COMMAND =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.xfuser.cli..", "io.xfuser.examples..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.xfuser.cli..", "picocli..");

  private Rules() {}
}
