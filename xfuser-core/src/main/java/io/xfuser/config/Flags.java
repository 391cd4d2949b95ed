package io.xfuser.config;

import io.xfuser.failure.ArgumentException;
import io.xfuser.torchscript.ElementType;
import java.math.BigInteger;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/**
 * The command line's flags by group, with xDiT's names (its {@code xfuser/config/args.py}) and our
 * own. A field is what was written, {@code null} if nothing was.
 */
@Command(
    name = "xdit",
    sortOptions = false,
    customSynopsis = "xdit [--model MODEL] --prompt TEXT... [FLAGS]",
    description = "Makes pictures from prompts with a diffusion transformer, on one rank or many.",
    footer = {
      "",
      "Dashes and underscores in a flag's name are interchangeable. The number of ranks is the"
          + " product of the degrees, times 2 with --use_cfg_parallel, plus --vae_parallel_size.",
      "",
      "xdit compare [FLAGS] draws on one rank too, and writes both pictures side by side with their"
          + " difference, PSNR and SSIM."
    })
final class Flags {
  /** What the help says where the model decides. */
  static final String OWN = " (default: the pipeline's own)";

  @Mixin Model model = new Model();

  @Mixin InputFlags input = new InputFlags();

  @Mixin ParallelFlags parallel = new ParallelFlags();

  @Mixin RuntimeFlags runtime = new RuntimeFlags();

  @Mixin Output output = new Output();

  /** Which model. */
  static final class Model {
    @Option(
        names = "--model",
        paramLabel = "DIR|ORG/NAME",
        description =
            "The model: a directory in diffusers' layout, or a name on the Hugging Face hub, with"
                + " @REVISION if not main, which is downloaded once (default: the demo model)")
    @Nullable String model;

    @Option(
        names = "--download-dir",
        paramLabel = "DIR",
        description =
            "Where downloaded models are kept, in the layout of huggingface_hub's cache (default:"
                + " that cache)")
    @Nullable String downloadDir;

    @Option(
        names = "--trust-remote-code",
        description = "Accepted for xDiT's sake: no code of a model is ever run (default: off)")
    boolean trustRemoteCode;

    @Option(
        names = "--variant",
        paramLabel = "NAME",
        description = "Weight files with this infix, fp16 for example (default: none)")
    @Nullable String variant;
  }

  /** Where results go. */
  static final class Output {
    @Option(
        names = "--output_directory",
        paramLabel = "DIR",
        description = "Where pictures are written (default: results)")
    String directory = "results";

    @Option(
        names = "--output_type",
        paramLabel = "TYPE",
        converter = OutputTypeConverter.class,
        description = "pil: pictures; latent: latents as .safetensors (default: pil)")
    OutputType type = OutputType.PIL;

    @Option(
        names = "--report",
        paramLabel = "FILE",
        description = "Times, bytes and memory as JSON (default: none)")
    @Nullable String report;

    @Option(
        names = "--trace",
        paramLabel = "FILE",
        description =
            "What each rank did when, as JSON for Perfetto or chrome://tracing (default: none)")
    @Nullable String trace;

    @Option(
        names = "--trace_picture",
        paramLabel = "FILE",
        description = "The same as a picture, SVG (default: none)")
    @Nullable String tracePicture;

    @Option(
        names = {"-v", "--verbose"},
        description = "Show who owns which blocks, patches and heads (default: off)")
    boolean verbose;

    @Option(
        names = "--version",
        versionHelp = true,
        description = "Show the versions of xfuser, libtorch and Java and end (default: off)")
    boolean version;

    @Option(
        names = {"-h", "--help"},
        usageHelp = true,
        description = "Show this text and end (default: off)")
    boolean help;
  }

  /** Element types by their names in torch and their short names. */
  static final class DtypeConverter implements ITypeConverter<ElementType> {
    @Override
    public ElementType convert(String value) {
      return switch (value.toLowerCase(Locale.ROOT)) {
        case "float32", "fp32" -> ElementType.FLOAT32;
        case "bfloat16", "bf16" -> ElementType.BFLOAT16;
        case "float16", "fp16" -> ElementType.FLOAT16;
        default ->
            throw new TypeConversionException(
                "must be float32, bfloat16 or float16, but is " + value);
      };
    }
  }

  /** Seeds as torch takes them: those from 2⁶³ on are the negative ones with the same bits. */
  static final class SeedConverter implements ITypeConverter<Long> {
    private static final BigInteger LEAST = BigInteger.ONE.shiftLeft(63).negate();
    private static final BigInteger END = BigInteger.ONE.shiftLeft(64);

    @Override
    public Long convert(String value) {
      if (value.matches("[+-]?[0-9]{1,20}")) {
        BigInteger seed = new BigInteger(value);
        if (seed.compareTo(LEAST) >= 0 && seed.compareTo(END) < 0) {
          return seed.longValue();
        }
      }
      throw new TypeConversionException(
          "must be a whole number from %s to %s, but is %s"
              .formatted(LEAST, END.subtract(BigInteger.ONE), value));
    }
  }

  /** Devices as torch names them. */
  static final class DeviceConverter implements ITypeConverter<DeviceChoice> {
    @Override
    public DeviceChoice convert(String value) {
      try {
        return DeviceChoice.parse(value);
      } catch (ArgumentException e) {
        throw new TypeConversionException("must be auto, cpu, cuda or cuda:i, but is " + value);
      }
    }
  }

  /** Output types by diffusers' names. */
  static final class OutputTypeConverter implements ITypeConverter<OutputType> {
    @Override
    public OutputType convert(String value) {
      return switch (value) {
        case "pil" -> OutputType.PIL;
        case "latent" -> OutputType.LATENT;
        default -> throw new TypeConversionException("must be pil or latent, but is " + value);
      };
    }
  }
}
