package io.xfuser.models;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.junit.ArchTests;
import com.tngtech.archunit.lang.ArchRule;
import io.xfuser.model.PipelineProvider;
import io.xfuser.model.VaeDecoder;
import io.xfuser.model.VaeEncoder;
import io.xfuser.models.internal.text.TextModel;
import io.xfuser.models.internal.text.TextModelProvider;
import io.xfuser.models.internal.text.Tokenizer;
import io.xfuser.models.internal.text.TokenizerProvider;
import io.xfuser.models.internal.vae.Vae;
import io.xfuser.models.internal.vae.VaeProvider;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerProvider;
import io.xfuser.testing.NoTests;
import io.xfuser.testing.Rules;
import java.util.Arrays;
import java.util.stream.Stream;

/** What a model may know: never whether it runs in parallel. */
@AnalyzeClasses(packages = "io.xfuser", importOptions = NoTests.class)
class ModelsArchitectureTest {
  /** What models share. */
  private static final String[] SHARED = {
    "io.xfuser.models.internal",
    "io.xfuser.models.internal.adaln..",
    "io.xfuser.models.internal.adapter..",
    "io.xfuser.models.internal.files..",
    "io.xfuser.models.internal.joint..",
    "io.xfuser.models.internal.lora..",
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
  static final ArchRule providersAreFoundAndNotNamed =
      noClasses()
          .should()
          .dependOnClassesThat(
              implementing(
                  PipelineProvider.class,
                  SchedulerProvider.class,
                  TextModelProvider.class,
                  TokenizerProvider.class,
                  VaeProvider.class));

  @ArchTest
  static final ArchRule whatProvidersMakeIsKnownInItsRoomAlone =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "io.xfuser.models.internal.scheduler",
              "io.xfuser.models.internal.text",
              "io.xfuser.models.internal.vae")
          .should()
          .dependOnClassesThat(
              implementing(
                      Scheduler.class,
                      TextModel.class,
                      Tokenizer.class,
                      Vae.class,
                      VaeDecoder.class,
                      VaeEncoder.class)
                  .and(resideInAPackage("io.xfuser.models..")));

  private static DescribedPredicate<JavaClass> implementing(Class<?>... services) {
    return DescribedPredicate.describe(
        "classes that implement " + Arrays.toString(services),
        type ->
            !type.isInterface()
                && !type.getModifiers().contains(JavaModifier.ABSTRACT)
                && Stream.of(services).anyMatch(type::isAssignableTo));
  }

  @ArchTest
  static final ArchRule nothingDependsOnTheAdapterForDjl =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.xfuser.djl..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.xfuser.djl..");

  @ArchTest static final ArchTests publicTypes = ArchTests.in(PublicTypes.class);
  @ArchTest static final ArchRule nothingEndsTheJvm = Rules.NOTHING_ENDS_THE_JVM;
  @ArchTest static final ArchRule theLibraryKnowsNoCommand = Rules.NOTHING_KNOWS_THE_COMMAND;
}
