package io.xfuser.examples.quality;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.InputConfigBuilder;
import io.xfuser.config.OutputType;
import io.xfuser.model.PipelineModel;
import io.xfuser.pipeline.DiffusionPipeline;
import io.xfuser.pipeline.XDiTParallel;
import io.xfuser.scheduler.Scheduler;
import io.xfuser.scheduler.SchedulerRequest;
import io.xfuser.torchscript.ElementType;
import io.xfuser.transformer.TransformerSpec;
import io.xfuser.weights.Placement;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures of a model what step caches go by, for {@code scripts/quality/calibrate}. */
@Command(
    name = "calibrate",
    description = "Measures how a model's input, residual and prediction change from step to step.",
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
public final class Calibrate implements Callable<Integer> {
  @Mixin private ModelAndPrompts given = new ModelAndPrompts();

  @Option(names = "--num_inference_steps", description = "Of each picture; default: the model's.")
  private @Nullable Integer steps;

  @Option(names = "--size", description = "Height and width; default: the model's.")
  private @Nullable Integer size;

  @Option(names = "--pictures", description = "So many of the prompts are drawn.")
  private int pictures = 20;

  private Calibrate() {}

  /** Takes the flags; {@code --help} tells them. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Calibrate()).execute(arguments));
  }

  /**
   * What one picture showed, step by step.
   *
   * @param modulated relative changes of the first block's modulated input, from the second step on
   * @param predicted of the prediction
   * @param ratio lengths of residuals beside those of the step before, the first being 1
   */
  record Measured(
      @JsonProperty("modulated") List<Double> modulated,
      @JsonProperty("predicted") List<Double> predicted,
      @JsonProperty("ratio") List<Double> ratio) {
    Measured() {
      this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    }

    void add(String name, double value) {
      of(name).add(value);
    }

    private List<Double> of(String name) {
      return switch (name) {
        case "modulated" -> modulated;
        case "predicted" -> predicted;
        default -> ratio;
      };
    }

    Measured copy() {
      return new Measured(List.copyOf(modulated), List.copyOf(predicted), List.copyOf(ratio));
    }

    void clear() {
      modulated.clear();
      predicted.clear();
      ratio.clear();
    }
  }

  @Override
  public Integer call() throws IOException {
    List<String> texts = given.prompts().stream().limit(pictures).toList();
    List<Measured> all = new ArrayList<>();
    EngineConfig engine =
        EngineConfig.builder(given.model()).runtime(r -> r.dtype(ElementType.FLOAT32)).build();
    try (MeasuredTransformer.Notes notes = new MeasuredTransformer.Notes();
        DiffusionPipeline plain =
            DiffusionPipeline.fromPretrained(engine.model(), engine.runtime());
        DiffusionPipeline pipeline =
            DiffusionPipeline.of(watched(plain.model(), notes), ElementType.FLOAT32);
        XDiTParallel serial = XDiTParallel.inProcess(pipeline, engine)) {
      for (int i = 0; i < texts.size(); i++) {
        serial.generate(request(texts.get(i), i)).close();
        all.add(notes.take());
        System.out.printf("measured %d of %d pictures%n", i + 1, texts.size());
      }
    }
    new ObjectMapper().writeValue(given.output().toFile(), all);
    return 0;
  }

  private InputConfig request(String text, int seed) {
    InputConfigBuilder request = InputConfig.builder(text).seed(seed).outputType(OutputType.LATENT);
    if (steps != null) {
      request.numInferenceSteps(steps);
    }
    if (size != null) {
      request.size(size, size);
    }
    return request.build();
  }

  private static <C> PipelineModel<C> watched(
      PipelineModel<C> model, MeasuredTransformer.Notes notes) {
    return new Watched<>(model, notes);
  }

  /** The model, its transformer watched. */
  private record Watched<C>(PipelineModel<C> model, MeasuredTransformer.Notes notes)
      implements PipelineModel.Forwarding<C> {
    @Override
    public TransformerSpec<C> transformer(Placement placement) {
      return new MeasuredTransformer<>(model.transformer(placement), notes);
    }

    @Override
    public List<TransformerSpec<C>> transformers(Placement placement) {
      return model.transformers(placement).stream()
          .<TransformerSpec<C>>map(spec -> new MeasuredTransformer<>(spec, notes))
          .toList();
    }

    @Override
    public Scheduler scheduler(SchedulerRequest request) {
      return model.scheduler(request);
    }
  }
}
