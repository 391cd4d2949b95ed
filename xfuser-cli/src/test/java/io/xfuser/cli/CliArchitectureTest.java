package io.xfuser.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.xfuser.server.ServerSettings;
import io.xfuser.testing.NoTests;
import io.xfuser.testing.Rules;

/** What the command may know, and who may know it: it stands on the library as any program does. */
@AnalyzeClasses(
    packages = {"io.xfuser.cli", "io.xfuser.server", "io.xfuser.serving"},
    importOptions = NoTests.class)
class CliArchitectureTest {
  /** Here of the server; the test of the models holds it of all else. */
  @ArchTest static final ArchRule theLibraryKnowsNoCommand = Rules.NOTHING_KNOWS_THE_COMMAND;

  @ArchTest
  static final ArchRule theCommandNamesNoModel =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.cli..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.xfuser.models..");

  @ArchTest
  static final ArchRule flagsKnowSettingsOnly =
      classes()
          .that()
          .resideInAPackage("io.xfuser.cli.flags..")
          .should()
          .onlyDependOnClassesThat(
              JavaClass.Predicates.resideInAnyPackage(
                      "io.xfuser.cli.flags..",
                      "io.xfuser.config..",
                      "io.xfuser.failure..",
                      "java..",
                      "picocli..",
                      "org.jspecify..")
                  .or(JavaClass.Predicates.type(ServerSettings.class)));

  /** The mains read it once and hand it on. */
  @ArchTest
  static final ArchRule fewReadTheEnvironment =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.cli..")
          .and()
          .haveNameNotMatching("io\\.xfuser\\.cli\\.(runner\\.Runner|launch\\.RankMain)")
          .should()
          .callMethod(System.class, "getenv")
          .orShould()
          .callMethod(System.class, "getenv", String.class);

  @ArchTest
  static final ArchRule noCycles =
      slices().matching("io.xfuser.cli.(*)..").should().beFreeOfCycles();
}
