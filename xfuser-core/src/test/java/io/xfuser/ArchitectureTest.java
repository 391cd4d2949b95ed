package io.xfuser;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.xfuser.hub.ModelName;
import io.xfuser.testing.Rules;
import io.xfuser.torchscript.AttentionKernel;
import io.xfuser.torchscript.ElementType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The directions of dependencies, as docs/developer/design.md draws them. */
@AnalyzeClasses(packages = "io.xfuser", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  private static final Path PROJECT = Path.of("..");
  private static final int LINES = 300;
  private static final String FAILURE = "io.xfuser.failure..";

  /** Comments may cite where something is from; code and programs may not know it. */
  private static final Pattern COMMENT = Pattern.compile("(?s)/\\*.*?\\*/|//[^\\n]*|#[^\\n]*");

  /** A flag in a literal, but for those of the launcher, which is none of the library's. */
  private static final Pattern FLAG = Pattern.compile("\"[^\"\n]*(?<!xfrun's )--[a-z]");

  private static final Pattern MODEL =
      Pattern.compile("(?i)pixart|hunyuan|cogvideo|stable.?diffusion|\\b(flux|latte|sd3)");

  @ArchTest
  static final ArchRule noCycles = slices().matching("io.xfuser.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule onlyTorchscriptTouchesDjlsPyTorch =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.xfuser.torchscript")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl.pytorch..");

  @ArchTest
  static final ArchRule onlyOneClassTouchesNvidiasLibraries =
      noClasses()
          .that()
          .haveNameNotMatching("io\\.xfuser\\.parallel\\.nccl\\.(CudaNccl|NativeCudart).*")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.bytedeco..");

  /** Which looks whether the kernel takes the queries. */
  @ArchTest
  static final ArchRule attentionNamesItsKernelInOnePlace =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.attention..")
          .and()
          .doNotHaveSimpleName("Kernels")
          .should()
          .callMethod(AttentionKernel.class, "kernelName");

  @ArchTest
  static final ArchRule torchscriptStandsAlone =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.torchscript..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.xfuser..")
                  .and(not(resideInAnyPackage("io.xfuser.torchscript..", FAILURE))));

  @ArchTest
  static final ArchRule failuresStandOnNothing =
      noClasses()
          .that()
          .resideInAPackage(FAILURE)
          .should()
          .dependOnClassesThat(resideInAPackage("io.xfuser..").and(not(resideInAPackage(FAILURE))));

  @ArchTest
  static final ArchRule configKnowsElementTypesKernelsAndNamesOfModelsOnly =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.config..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.xfuser..")
                  .and(not(resideInAnyPackage("io.xfuser.config..", FAILURE)))
                  .and(
                      not(
                          belongToAnyOf(
                              ElementType.class, AttentionKernel.class, ModelName.class))));

  @ArchTest
  static final ArchRule messagesKnowNothingOfWhatTheyCarry =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.parallel..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.xfuser.nn..",
              "io.xfuser.attention..",
              "io.xfuser.weights..",
              "io.xfuser.transformer..",
              "io.xfuser.scheduler..",
              "io.xfuser.pipeline..",
              "io.xfuser.config..");

  @ArchTest
  static final ArchRule tracesKnowMessagesOnly =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.trace..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.xfuser..")
                  .and(
                      not(
                          resideInAnyPackage(
                              "io.xfuser.trace..",
                              "io.xfuser.parallel..",
                              "io.xfuser.torchscript..",
                              FAILURE))));

  @ArchTest
  static final ArchRule buildingBlocksKnowNothingAbove =
      noClasses()
          .that()
          .resideInAnyPackage("io.xfuser.nn..", "io.xfuser.weights..", "io.xfuser.scheduler..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.xfuser.parallel..",
              "io.xfuser.attention..",
              "io.xfuser.transformer..",
              "io.xfuser.pipeline..",
              "io.xfuser.config..");

  @ArchTest
  static final ArchRule downloadsKnowTheNamesOfWeightFilesOnly =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.hub..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.xfuser..")
                  .and(not(resideInAnyPackage("io.xfuser.hub..", "io.xfuser.weights..", FAILURE))));

  @ArchTest
  static final ArchRule transformersSeeNoCommunicator =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.transformer..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.xfuser.parallel..", "io.xfuser.pipeline..", "io.xfuser.config..");

  @ArchTest
  static final ArchRule attentionKnowsNoPipeline =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.attention..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.xfuser.transformer..",
              "io.xfuser.pipeline..",
              "io.xfuser.config..",
              "io.xfuser.scheduler..");

  @ArchTest
  static final ArchRule onlyPipelinesUseSchedulersAndConfigs =
      classes()
          .that()
          .resideInAnyPackage("io.xfuser.scheduler..", "io.xfuser.config..")
          .should()
          .onlyBeAccessed()
          .byAnyPackage(
              "io.xfuser.scheduler..",
              "io.xfuser.config..",
              "io.xfuser.pipeline..",
              "io.xfuser.djl..");

  @ArchTest
  static final ArchRule nothingDependsOnTheAdapterForDjl =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.xfuser.djl..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.xfuser.djl..");

  /** The face reads it once and hands values on; libtorch reads its own part of it itself. */
  @ArchTest
  static final ArchRule fewReadTheEnvironment =
      noClasses()
          .that()
          .haveNameNotMatching(
              "io\\.xfuser\\.(pipeline\\.(XDiTParallel|DiffusionPipeline)"
                  + "|torchscript\\.(HalfPrecision|OpenMp))")
          .should()
          .callMethod(System.class, "getenv")
          .orShould()
          .callMethod(System.class, "getenv", String.class);

  @ArchTest static final ArchRule nothingEndsTheJvm = Rules.NOTHING_ENDS_THE_JVM;

  @Test
  void coreNamesNoModel() throws IOException {
    List<Path> naming =
        sources(PROJECT.resolve("xfuser-core"))
            .filter(file -> MODEL.matcher(COMMENT.matcher(text(file)).replaceAll("")).find())
            .toList();
    assertThat(naming).isEmpty();
  }

  /** Who embeds the library writes no flags; the command line translates. */
  @Test
  void sentencesOfTheLibraryNameNoFlags() throws IOException {
    List<Path> naming =
        Stream.concat(
                sources(PROJECT.resolve("xfuser-core")), sources(PROJECT.resolve("xfuser-models")))
            .filter(file -> FLAG.matcher(COMMENT.matcher(text(file)).replaceAll("")).find())
            .toList();
    assertThat(naming).isEmpty();
  }

  @Test
  void noSourceFileIsLongerThan300Lines() throws IOException {
    List<Path> modules;
    try (Stream<Path> folders = Files.list(PROJECT)) {
      modules = folders.filter(folder -> Files.isDirectory(folder.resolve("src/main"))).toList();
    }
    assertThat(modules).hasSizeGreaterThanOrEqualTo(3);
    for (Path module : modules) {
      assertThat(sources(module).filter(file -> text(file).lines().count() > LINES)).isEmpty();
    }
  }

  /** Java and TorchScript; tables of numbers are data. */
  private static Stream<Path> sources(Path module) throws IOException {
    try (Stream<Path> files = Files.walk(module.resolve("src/main"))) {
      return files.filter(file -> file.toString().matches(".*\\.(java|py)")).toList().stream();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
