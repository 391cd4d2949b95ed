package io.xfuser.djl;

import ai.djl.ndarray.NDList;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslatorContext;
import io.xfuser.config.InputConfig;
import io.xfuser.failure.ArgumentException;
import io.xfuser.pipeline.Generation;
import io.xfuser.pipeline.XDiTParallel;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Generates. A predictor passes tensors from a translator through a block and back; here there are
 * none to pass, and the generation goes beside them.
 *
 * @param ranks generate
 * @param request what an input asks for
 * @param result what a caller gets of a generation
 */
record GeneratingTranslator<I, O>(
    XDiTParallel ranks, Function<I, InputConfig> request, Function<Generation, O> result)
    implements NoBatchifyTranslator<I, O> {
  private static final String GENERATION = "generation";

  @Override
  public NDList processInput(TranslatorContext context, @Nullable I input) {
    if (input == null) {
      throw new ArgumentException("there is no input: a predictor needs a prompt or request");
    }
    context.setAttachment(GENERATION, ranks.generate(request.apply(input)));
    return new NDList();
  }

  @Override
  public O processOutput(TranslatorContext context, NDList list) {
    return result.apply((Generation) context.getAttachment(GENERATION));
  }
}
