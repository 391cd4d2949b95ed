package io.xfuser;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.xfuser.internal.weights.AdapterSource;
import io.xfuser.internal.weights.LoraSource;
import io.xfuser.testing.NoTests;
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

/**
 * The directions of dependencies, as docs/developer/design.md draws them, where the compiler does
 * not hold them: within a module, and of what is in no module of its own.
 */
@AnalyzeClasses(packages = "io.xfuser", importOptions = NoTests.class)
class ArchitectureTest {
  private static final Path PROJECT = Path.of("..");
  private static final List<String> LIBRARY =
      List.of("xfuser-tensors", "xfuser-core", "xfuser-pipelines");
  private static final int LINES = 300;
  private static final String[] FAILURE = {"io.xfuser.failure..", "io.xfuser.internal.failure.."};

  /** Comments may cite where something is from; code and programs may not know it. */
  private static final Pattern COMMENT = Pattern.compile("(?s)/\\*.*?\\*/|//[^\\n]*|#[^\\n]*");

  /** A flag in a literal, but for those of the launcher, which is none of the library's. */
  private static final Pattern FLAG = Pattern.compile("\"[^\"\n]*(?<!xfrun's )--[a-z]");

  private static final Pattern MODEL =
      Pattern.compile("(?i)pixart|hunyuan|cogvideo|stable.?diffusion|\\b(flux|latte|sd3)");

  @ArchTest
  static final ArchRule noCycles = slices().matching("io.xfuser.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule onlyTorchscriptTouchesDjlsPyTorch =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "io.xfuser.torchscript", "io.xfuser.internal.device", "io.xfuser.internal.natives")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl.pytorch..");

  @ArchTest
  static final ArchRule onlyOneClassTouchesNvidiasLibraries =
      noClasses()
          .that()
          .haveNameNotMatching(
              "io\\.xfuser\\.internal\\.parallel\\.nccl\\.(CudaNccl|NativeCudart).*")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.bytedeco..");

  /** Which looks whether the kernel takes the queries. */
  @ArchTest
  static final ArchRule attentionNamesItsKernelInOnePlace =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.internal.attention..")
          .and()
          .doNotHaveSimpleName("Kernels")
          .should()
          .callMethod(AttentionKernel.class, "kernelName");

  @ArchTest
  static final ArchRule torchscriptStandsAlone =
      knowsOnly(
          "io.xfuser.torchscript..",
          "io.xfuser.internal.kernels..",
          "io.xfuser.internal.natives..");

  @ArchTest
  static final ArchRule failuresStandOnNothing = knowsOnly("io.xfuser.internal.failure..", FAILURE);

  @ArchTest
  static final ArchRule configKnowsElementTypesAndKernelsOnly =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.config..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.xfuser..")
                  .and(not(resideInAPackage("io.xfuser.config..")))
                  .and(not(resideInAnyPackage(FAILURE)))
                  .and(
                      not(
                          belongToAnyOf(
                              ElementType.class,
                              AttentionKernel.class,
                              LoraSource.class,
                              AdapterSource.class))));

  @ArchTest
  static final ArchRule messagesKnowNothingOfWhatTheyCarry =
      knowsOnly(
          "io.xfuser.internal.parallel..",
          "io.xfuser.parallel..",
          "io.xfuser.torchscript..",
          "io.xfuser.internal.natives..",
          "io.xfuser.internal.device..");

  @ArchTest
  static final ArchRule tracesKnowMessagesOnly =
      knowsOnly(
          "io.xfuser.internal.trace..",
          "io.xfuser.trace..",
          "io.xfuser.internal.parallel..",
          "io.xfuser.torchscript..",
          "io.xfuser.internal.device..");

  /** Nor, being in modules below, any request. */
  @ArchTest
  static final ArchRule attentionAndSchedulersKnowNoSetting =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.xfuser.attention..",
              "io.xfuser.internal.attention..",
              "io.xfuser.transformer..",
              "io.xfuser.scheduler..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.xfuser.config..");

  @ArchTest
  static final ArchRule modelsSeeNoCommunicator =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.xfuser.attention..",
              "io.xfuser.transformer..",
              "io.xfuser.scheduler..",
              "io.xfuser.model..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.xfuser.parallel..",
              "io.xfuser.internal.parallel..",
              "io.xfuser.internal.attention..");

  @ArchTest
  static final ArchRule downloadsKnowTheNamesOfFilesOnly =
      knowsOnly(
          "io.xfuser.hub..",
          "io.xfuser.config..",
          "io.xfuser.weights..",
          "io.xfuser.internal.weights..",
          "io.xfuser.progress..");

  /** A plan computes nothing, and reports see what ranks did without knowing how. */
  @ArchTest
  static final ArchRule plansAndReportsKnowNoRuntime =
      noClasses()
          .that()
          .resideInAnyPackage(
              "io.xfuser.model..",
              "io.xfuser.report..",
              "io.xfuser.internal.plan..",
              "io.xfuser.internal.report..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.xfuser.internal.runtime..", "io.xfuser.pipeline..");

  @ArchTest
  static final ArchRule ranksKnowNoCaller =
      noClasses()
          .that()
          .resideInAPackage("io.xfuser.internal..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.xfuser.pipeline..", "io.xfuser.hub..");

  /** The face reads it once and hands values on; libtorch reads its own part of it itself. */
  @ArchTest
  static final ArchRule fewReadTheEnvironment =
      noClasses()
          .that()
          .haveNameNotMatching(
              "io\\.xfuser\\.(pipeline\\.(XDiTParallel|DiffusionPipeline|Worlds)"
                  + "|internal\\.natives\\.(CpuFeatures|OpenMp|ProcessEnvironment))")
          .should()
          .callMethod(System.class, "getenv")
          .orShould()
          .callMethod(System.class, "getenv", String.class);

  @ArchTest static final ArchRule nothingEndsTheJvm = Rules.NOTHING_ENDS_THE_JVM;

  @Test
  void nothingBelowTheModelsNamesOne() {
    List<Path> naming =
        LIBRARY.stream()
            .flatMap(module -> sources(PROJECT.resolve(module), "src/main"))
            .filter(file -> MODEL.matcher(COMMENT.matcher(text(file)).replaceAll("")).find())
            .toList();
    assertThat(naming).isEmpty();
  }

  /** Settings, ranks and attention, without the ways that messages take over a network. */
  @Test
  void theCoreIsSmall() {
    long lines =
        sources(PROJECT.resolve("xfuser-core"), "src/main")
            .filter(file -> !file.toString().matches(".*[/\\\\](nccl|socket)[/\\\\].*"))
            .filter(file -> file.toString().endsWith(".java"))
            .mapToLong(file -> text(file).lines().count())
            .sum();
    assertThat(lines).isBetween(5_000L, 12_500L);
  }

  /** Who embeds the library writes no flags; the command line translates. */
  @Test
  void sentencesOfTheLibraryNameNoFlags() {
    List<Path> naming =
        Stream.concat(LIBRARY.stream(), Stream.of("xfuser-models"))
            .flatMap(module -> sources(PROJECT.resolve(module), "src/main"))
            .filter(file -> FLAG.matcher(COMMENT.matcher(text(file)).replaceAll("")).find())
            .toList();
    assertThat(naming).isEmpty();
  }

  @Test
  void noSourceFileIsLongerThan300Lines() throws IOException {
    List<Path> modules;
    try (Stream<Path> folders = Files.walk(PROJECT, 2)) {
      modules = folders.filter(folder -> Files.isDirectory(folder.resolve("src/main"))).toList();
    }
    assertThat(modules).hasSizeGreaterThanOrEqualTo(5);
    for (Path module : modules) {
      for (String part : List.of("src/main", "src/test")) {
        assertThat(sources(module, part).filter(file -> text(file).lines().count() > LINES))
            .isEmpty();
      }
    }
  }

  /**
   * {@code room} depends on itself, on failures and on {@code others}, and on nothing else here.
   */
  private static ArchRule knowsOnly(String room, String... others) {
    return noClasses()
        .that()
        .resideInAPackage(room)
        .should()
        .dependOnClassesThat(
            resideInAPackage("io.xfuser..")
                .and(not(resideInAPackage(room)))
                .and(not(resideInAnyPackage(FAILURE)))
                .and(not(resideInAnyPackage(others))));
  }

  /** Java and TorchScript; tables of numbers are data. */
  private static Stream<Path> sources(Path module, String part) {
    if (!Files.isDirectory(module.resolve(part))) {
      return Stream.empty();
    }
    try (Stream<Path> files = Files.walk(module.resolve(part))) {
      return files.filter(file -> file.toString().matches(".*\\.(java|py)")).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
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
