package io.xfuser.models;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.xfuser.testing.Rules;

/** What a model may know: never whether it runs in parallel. */
@AnalyzeClasses(packages = "io.xfuser", importOptions = DoNotIncludeTests.class)
class ModelsArchitectureTest {
  /** What models share. */
  private static final String[] SHARED = {
    "io.xfuser.models.internal",
    "io.xfuser.models.internal.adaln..",
    "io.xfuser.models.internal.files..",
    "io.xfuser.models.internal.joint..",
    "io.xfuser.models.internal.parts..",
    "io.xfuser.models.internal.scheduler..",
    "io.xfuser.models.internal.text..",
    "io.xfuser.models.internal.vae..",
    "io.xfuser.models.internal.weights.."
  };

  @ArchTest
  static final ArchRule modelsSeeNoCommunicator =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.models..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.xfuser.parallel..", "io.xfuser.internal.parallel..");

  @ArchTest
  static final ArchRule modelsChooseNoStrategy =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.models..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.xfuser.internal.attention..");

  @ArchTest
  static final ArchRule modelsKnowTheBoundaryOnlyByItsPackage =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.models..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl.pytorch..");

  @ArchTest
  static final ArchRule coreKnowsNoModel =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.xfuser.models..", "io.xfuser.examples..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.xfuser.models..");

  @ArchTest
  static final ArchRule modelsKnowNoOtherModel =
      slices().matching("io.xfuser.models.internal.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule partsThatModelsShareKnowNoModel =
      noClasses()
          .that()
          .resideInAnyPackage(SHARED)
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.xfuser.models..").and(resideOutsideOfPackages(SHARED)));

  @ArchTest
  static final ArchRule nothingDependsOnTheAdapterForDjl =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.xfuser.djl..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.xfuser.djl..");

  @ArchTest static final ArchRule nothingEndsTheJvm = Rules.NOTHING_ENDS_THE_JVM;
}
