package io.xfuser.djl;

import ai.djl.Application;
import ai.djl.Device;
import ai.djl.modality.cv.Image;
import ai.djl.repository.MRL;
import ai.djl.repository.zoo.BaseModelLoader;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.Translator;
import ai.djl.util.Progress;
import io.xfuser.config.DeviceChoice;
import io.xfuser.config.EngineConfig;
import io.xfuser.config.InputConfig;
import io.xfuser.config.OutputType;
import io.xfuser.failure.ArgumentException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Opens one directory for criteria that ask for it. */
final class DiffusersLoader extends BaseModelLoader {
  private final Path directory;

  DiffusersLoader(MRL location, Path directory) {
    super(location);
    this.directory = directory;
  }

  @Override
  public Application getApplication() {
    return Application.CV.IMAGE_GENERATION;
  }

  /**
   * Opens the pipeline.
   *
   * @throws ModelNotFoundException for other types
   * @throws IllegalArgumentException for settings or arguments that have no meaning here, by name,
   *     and for what {@link XDiTParallel#inProcess(EngineConfig)} refuses
   */
  @Override
  public <I, O> ZooModel<I, O> loadModel(Criteria<I, O> criteria) throws ModelNotFoundException {
    boolean prompts = takes(criteria, String.class, Image.class);
    if (!prompts && !takes(criteria, InputConfig.class, Generation.class)) {
      throw new ModelNotFoundException(
          "a pipeline turns String into Image or InputConfig into Generation, not %s into %s"
              .formatted(criteria.getInputClass().getName(), criteria.getOutputClass().getName()));
    }
    refuse(criteria.getTranslatorFactory(), "translator");
    refuse(criteria.getBlock(), "block");
    refuse(criteria.getOptions(), "option");
    refuse(criteria.getFilters(), "filter");
    Arguments arguments = Arguments.of(criteria, prompts);
    InputConfig pictures = InputConfig.builder().setAll(arguments.values()).build();
    if (pictures.numImagesPerPrompt() != 1 || pictures.outputType() != OutputType.PIL) {
      throw new ArgumentException("a predictor of String to Image makes one picture per prompt");
    }
    EngineConfig engine = on(criteria, arguments.engine(directory));
    XDiTParallel ranks = opened(criteria.getProgress(), engine);
    DiffusersModel model =
        new DiffusersModel(
            directory,
            criteria.getModelName(),
            ranks,
            new DiffusersModel.Described(engine.runtime().dtype(), prompts));
    Translator<?, ?> translator =
        prompts
            ? new GeneratingTranslator<String, Image>(
                ranks,
                prompt -> pictures.toBuilder().prompts(prompt).build(),
                DiffusersLoader::picture)
            : new GeneratingTranslator<InputConfig, Generation>(
                ranks, Function.identity(), Function.identity());
    @SuppressWarnings("unchecked") // the types were compared above
    Translator<I, O> typed = (Translator<I, O>) translator;
    return new ZooModel<>(model, typed);
  }

  /** Opens the pipeline, and tells {@code progress} of its one step. */
  private XDiTParallel opened(@Nullable Progress progress, EngineConfig engine) {
    if (progress == null) {
      return XDiTParallel.inProcess(engine);
    }
    progress.reset("Opening", 1);
    try {
      XDiTParallel ranks = XDiTParallel.inProcess(engine);
      progress.update(1);
      return ranks;
    } finally {
      progress.end();
    }
  }

  /** With the device of the criteria, which an argument may not contradict. */
  private static EngineConfig on(Criteria<?, ?> criteria, EngineConfig engine) {
    Device device = criteria.getDevice();
    if (device == null) {
      return engine;
    }
    if (!device.isGpu() && !Device.Type.CPU.equals(device.getDeviceType())) {
      throw new ArgumentException("a pipeline computes on the CPU or on GPUs, not on " + device);
    }
    DeviceChoice wanted =
        device.isGpu() ? DeviceChoice.parse("cuda:" + device.getDeviceId()) : DeviceChoice.CPU;
    DeviceChoice argument = engine.runtime().device();
    if (!argument.equals(DeviceChoice.AUTO) && !argument.equals(wanted)) {
      throw new ArgumentException(
          "the criteria's device is %s, but their argument device is %s"
              .formatted(wanted, argument));
    }
    return engine.toBuilder().runtime(runtime -> runtime.device(wanted)).build();
  }

  private static boolean takes(Criteria<?, ?> criteria, Class<?> input, Class<?> output) {
    return criteria.getInputClass() == input && criteria.getOutputClass() == output;
  }

  private static void refuse(@Nullable Object setting, String name) {
    if (setting != null) {
      throw new ArgumentException("a pipeline has no use for the " + name + " in the criteria");
    }
  }

  private static Image picture(Generation generation) {
    return generation.images().get(0);
  }
}
